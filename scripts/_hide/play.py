"""What `ape run sell` does: one listing, from the data to the last withdrawal and the report."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import ape
import click
from ape.api import AccountAPI
from rich.console import Console

from offchain.crypto.disputable import EncryptedFile
from offchain.crypto.settlement import Settlement
from offchain.hide.countermeasures import Regained, best
from offchain.hide.making import MadeFamily
from offchain.hide.sale import adversaries
from offchain.hide.sale.buyer import Buyer
from offchain.hide.sale.preparing import prepare
from offchain.hide.sale.seller import Seller
from offchain.hide.sale.session import SaleSession
from offchain.hide.sale.stock import Conditions, Stock
from offchain.hide.sale.wares import Wares, task_for
from offchain.models.device import pick_device
from offchain.runs.spread import Spread
from offchain.storage import Datastore, open_datastore
from offchain.task import Task
from scripts._hide.begun import Begun, Kept
from scripts._hide.chain import SaleChain
from scripts._hide.options import SellOptions
from scripts._hide.outcome import make_record
from scripts._hide.record import SaleRecord
from scripts._hide.report import report_of
from scripts._hide.scene import Scene, injustices
from scripts._hide.seating import SELLER_SECRETS, accounts_of, kept_at, mask_secret, sale_of
from scripts._hide.sheets import conclude
from scripts._hide.stories import STORIES
from scripts._hide.workshop import Workshop, load_split, repeatable_secret
from scripts._stage.accounts import payee
from scripts._stage.chain import clock
from scripts._stage.money import balance_of, parse_amount, parse_token
from scripts._stage.party_sheets import time_of
from scripts._stage.secrets import secrets_at
from scripts._stage.table import Seat, play
from scripts._stage.telling import Telling


@dataclass
class SalePlay:
    """Plays the story called `name` on the connected chain.

    Attributes:
        forgetful: kill and rebuild every role before every step.
        record: what happened, once it did. scene: all that took part in it.
    """

    name: str
    options: SellOptions
    forgetful: bool = False
    home: Path | None = None
    telling: Telling = field(default_factory=lambda: Telling(Console(width=110)))
    record: SaleRecord | None = None
    scene: Scene | None = None

    def run(self) -> list[str]:
        """Plays and reports; returns what did not end as the story demands.

        Nothing is stored, sent or signed before all that was asked for has been checked.
        """
        started, options, telling = time.monotonic(), self.options, self.telling
        story = STORIES[self.name]
        if not story.fits(options.settlement):
            raise click.ClickException(f"settlement: {options.settlement}, the story needs sealed")
        plan, device = options.plan(), pick_device(options.device)
        prices, stake = options.amounts(plan), parse_amount("stake", options.stake)
        payee(options.pay_to)
        # Loaded once: whoever unlocks a keystore account is asked for its passphrase.
        accounts = accounts_of(options, len(options.wants(story, len(plan.levels))))
        token = parse_token(options.token)
        telling.console.rule(f"[bold]{self.name}[/]: {story.title}")
        with kept_at(self.home) as home:
            with telling.doing("loading the data") as progress:
                split = load_split(
                    options.dataset,
                    options.images,
                    options.test,
                    options.seed,
                    options.data_root,
                    options.download,
                    options.image_size,
                    options.skip_broken,
                    telling.left_out,
                    progress,
                )
            task = task_for(split.data, options.licence)
            with telling.doing("opening the datastore"):
                store = open_datastore(options.ipfs, home / "ipfs")
            with store:
                # A node that does not answer shows before minutes go into masks.
                store.put(b"")
                workshop = Workshop(
                    split,
                    plan,
                    options.keep,
                    device,
                    Spread.of(options.workers, gpu=device.type == "cuda"),
                    telling,
                    mask_secret(home, repeatable_secret(plan, split)),
                )
                with telling.doing("making masks and searching levels"):
                    made = workshop.family()
                with telling.doing("trying free counter-measures"):
                    counters = workshop.free(made.family.masked)
                taken = [price for one, price in zip(made.found, prices, strict=True) if one.within]
                for one in made.found:
                    if not one.within:
                        telling.say(f"level {one.wanted:g} is out of reach: {one.why}")
                wants = options.wants(story, len(taken))
                money = Money(token, tuple(taken), stake)
                self._play(made, counters, task, accounts, wants, money, store, home)
                assert self.scene is not None
                with telling.doing("training with what was bought"):
                    record = make_record(
                        self.name, self.scene, options, workshop, counters, telling.log, started
                    )
                wrong = injustices(self.scene, story)
        self.record = record
        with telling.doing("writing the report"):
            files = report_of(record, good=not wrong).write(options.reports / self.name)
        conclude(telling, record, wrong, files)
        return wrong

    def _play(
        self,
        made: MadeFamily,
        counters: Sequence[Regained],
        task: Task,
        accounts: tuple[AccountAPI, tuple[AccountAPI, ...]],
        wants: tuple[tuple[int, ...], ...],
        money: Money,
        store: Datastore,
        home: Path,
    ) -> None:
        """Sets the table and lets everybody play. accounts: the seller's, and as many buyers' as
        there are wants, or more."""
        options, telling, story = self.options, self.telling, STORIES[self.name]
        with telling.doing("deploying"):
            sale = sale_of(options)
        contract = sale.contract
        seller, buyers = accounts[0], accounts[1][: len(wants)]
        kept = Kept(home / f"sell-{self.name}.listing")
        begun = kept.read()
        if begun is None:
            # Its own listing, though the same was sold before.
            now = clock().now
            task = replace(task, content=f"Rehearsal of {time_of(now)}")
            begun = Begun(task, now + round(options.hours * 3600), sale.block)
            kept.write(begun)
        settlement = story.settlement(options.settlement)
        window = round(options.window_minutes * 60)
        with telling.doing("encrypting the cleaners") as progress:
            stock = prepare(
                Wares.of(made, options.check, best(counters)),
                begun.task,
                Conditions(
                    seller=str(seller.address),
                    token=money.token,
                    prices=money.prices,
                    stake=money.stake,
                    funds=money.funds(wants, settlement),
                    settlement=settlement,
                    delivery_time=window,
                    dispute_time=window,
                ),
                ape.chain.chain_id,
                str(contract.address),
                store,
                secrets_at(home / SELLER_SECRETS),
                spoil=_spoils(wants[-1][0]) if story.spoils else None,
                progress=progress,
            )
        chain = SaleChain(
            contract,
            stock.listing.id(ape.chain.chain_id, str(contract.address)),
            money.token,
            begun.block,
            begun.closing,
        )
        telling.say(f"-- listing 0x{chain.id.hex()}", "bold")
        telling.say(f"-- catalogue {stock.catalogue}", "bold")
        seats = self._seats(stock, wants, seller, buyers, begun.closing, store, home)
        paid = payee(options.pay_to)
        holders = [*(seat.address for seat in seats), *([paid] if paid else [])]
        before = {holder: balance_of(money.token, holder) for holder in holders}
        for holder, moved in chain.moved(paid).items():
            before[holder] = before.get(holder, 0) - moved
        with telling.doing("selling"):
            session = play(
                chain,
                seats,
                telling.step,
                refused=telling.refused,
                at_time=telling.time,
                before=lambda seat: telling.turn_to(f"{seat} at work"),
                forgetful=self.forgetful,
            )
        kept.forget()
        if paid:
            chain.paid_away(chain.paid(), paid)
        self.scene = Scene(
            chain, session, stock, made, tuple(seats), wants, before, settlement, paid
        )

    def _seats(
        self,
        stock: Stock,
        wants: Sequence[Sequence[int]],
        seller: AccountAPI,
        buyers: Sequence[AccountAPI],
        closing: int,
        store: Datastore,
        home: Path,
    ) -> list[Seat]:
        """The seller, then the buyers, each as the story has it."""
        story, pay_to = STORIES[self.name], payee(self.options.pay_to)

        def sell(session: SaleSession) -> Seller:
            if story.seller is None:
                return Seller(session, stock, closing, pay_to=pay_to)
            victims = frozenset({str(buyers[-1].address)})
            return story.seller(session, stock, closing, victims=victims, pay_to=pay_to)

        def seat(number: int, account: AccountAPI) -> Seat:
            role = story.buyer if number == len(buyers) else Buyer

            def make(session: SaleSession) -> Buyer:
                return role(
                    str(account.address),
                    session,
                    wants[number - 1],
                    store,
                    secrets_at(home / f"buyer-{number}.json"),
                    progress=self.telling.progress,
                    pay_to=pay_to,
                )

            return Seat(f"buyer {number}", account, make)

        return [
            Seat("seller", seller, sell),
            *(seat(number, account) for number, account in enumerate(buyers, 1)),
        ]


@dataclass(frozen=True)
class Money:
    """token: what pays, NATIVE for the native coin. prices: of the levels that were reached."""

    token: str
    prices: tuple[int, ...]
    stake: int

    def funds(self, wants: Sequence[Sequence[int]], settlement: Settlement) -> int:
        """What answers for all purchases at once; under open settlement they hold their price."""
        bought = sum(self.prices[one[-1]] for one in wants) if settlement is Settlement.OPEN else 0
        return self.stake * len(wants) + bought


def _spoils(level: int) -> Callable[[int, EncryptedFile], EncryptedFile]:
    """Spoils a chunk of the file of that level alone."""
    return lambda at, file: adversaries.with_spoilt_chunk(file) if at == level else file
