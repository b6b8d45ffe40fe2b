"""What `ape run price` does: a market from empty accounts to the report."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import ape
import click

from offchain.crypto.secrets_file import SecretsFile
from offchain.mde.buyer import Buyer, Wants
from offchain.mde.buying import TrueGains, compare
from offchain.mde.owner import Owner
from offchain.mde.partition import Partition
from offchain.mde.publishing import publish
from offchain.mde.quoting import asked
from offchain.mde.seller import Seller
from offchain.mde.session import DealSession
from offchain.mde.stall import Stall
from offchain.post import FolderPost
from offchain.storage import Datastore, open_datastore
from scripts._mde.chain import DealChain
from scripts._mde.mail import Mail
from scripts._mde.options import PriceOptions
from scripts._mde.record import Record, make_record
from scripts._mde.report import report_of
from scripts._mde.scene import Scene, Truth, injustices
from scripts._mde.seats import CONTRACT
from scripts._mde.stories import STORIES
from scripts._mde.telling import PriceTelling, tell_outlook
from scripts._stage.accounts import Parties, is_local, receiver, seat_parties
from scripts._stage.chain import ActionRefused, alone, clock
from scripts._stage.deployments import Deployed, deployed, ready
from scripts._stage.money import balance_of, currency
from scripts._stage.table import Seat, Step, play
from scripts._stage.wallet import AccountWallet, recover

QUOTES_STAND = 4
"""Times as long as a delivery may take, so that quotes outlast one and the disputes after it."""

SELLERS_STAY = 3
"""Times as long as a quote stands, so that they outlast a second order of the buyer's."""


@dataclass
class Market:
    """Plays the story called `name` on the connected chain, and writes to `folder`/`name`.

    Attributes:
        forgetful: kill and rebuild every role before every step.
        home: folder of secrets, letters and content; without one they are gone when the run ends.
        record: what happened, once it did.
    """

    name: str
    options: PriceOptions
    folder: Path
    forgetful: bool = False
    home: Path | None = None
    telling: PriceTelling = field(default_factory=PriceTelling)
    record: Record | None = None

    def run(self) -> list[str]:
        """Plays, tells and writes; returns what did not end as it should.

        Nothing is stored, sent or signed before all that was asked for has been checked.
        """
        began = time.monotonic()
        options, telling, story = self.options, self.telling, STORIES[self.name]
        terms = options.terms(story.agreed(options))
        # The buyer learns it here, before it has paid for an order to which nobody quotes.
        policy, demands = options.policy(), asked(terms)
        policy.about(*demands).check(demands)
        purse, budget, plans = options.purse(), options.units(), options.plans
        policy.about("price").check({"price": min(purse.most, budget)})
        parties = seat_parties(
            len(plans),
            options.buyer,
            options.seller,
            sign_unasked=options.yes,
            called=("buyer", "seller"),
        )
        to = receiver(options.pay_to, "") or None
        if len(plans) < story.sellers:
            raise click.ClickException(f"the story needs {story.sellers} sellers, not {len(plans)}")
        telling.begin(self.name, story.title)
        kept_at = nullcontext(str(self.home)) if self.home else tempfile.TemporaryDirectory()
        with kept_at as home:
            with telling.doing("loading the data") as progress:
                partition = options.partition(telling.left_out, progress)
            with telling.doing("training the buyer's model"):
                owner = Owner.of(partition, options.trainer())
            largest = max(len(one.samples) for one in partition.holdings)

            def publish_of(of: Owner) -> bytes:
                with telling.doing("making a pricing artefact") as progress:
                    tell_outlook(telling, of, options.oracle)
                    return publish(of, options.oracle, purse, largest, progress)

            with telling.doing("opening the datastore"):
                opened = open_datastore(options.ipfs, Path(home) / "ipfs")
            with opened as store:
                # A node that does not answer shows before anything is deployed.
                store.put(b"")
                task = options.task(partition)
                wants = Wants(terms, budget, publish_of, task, options.seconds, pay_to=to)
                with telling.doing("dealing"):
                    scene = self._play(parties, partition, owner, wants, store, Path(home))
                truth = measure(owner, scene, options, telling)
                wrong = injustices(scene)
                seconds = time.monotonic() - began
                record = make_record(self.name, options, scene, truth, wrong, seconds)
        self.record = record
        with telling.doing("writing the report"):
            files = report_of(record).write(self.folder / self.name)
        telling.end(record, wrong, files)
        return wrong

    def _play(
        self,
        parties: Parties,
        partition: Partition,
        owner: Owner,
        wants: Wants,
        store: Datastore,
        home: Path,
    ) -> Scene:
        """Everything that happens on chain."""
        telling, terms = self.telling, wants.terms
        sale = self._sale(parties)
        accounts = [str(one.address) for one in (parties.collector, *parties.providers)]
        until = clock().now + SELLERS_STAY * QUOTES_STAND * self.options.seconds
        chain = DealChain(
            sale.contract,
            terms.token,
            Mail(*accounts, post=partial(FolderPost, home / "letters")),
            sale.block,
            wants.patience,
            until,
            frozenset(accounts),
        )
        quote_time = QUOTES_STAND * self.options.seconds
        stall = Stall(
            terms.token, terms.stake, quote_time, until, partition.names, pay_to=wants.pay_to
        )
        seats = self._seats(parties, partition, owner, wants, stall, store, home)
        purse = {wants.pay_to} if wants.pay_to else set()
        before = {one: balance_of(terms.token, one) for one in {*accounts, *purse}}
        held = chain.held()
        refusals: dict[str, list[str]] = defaultdict(list)

        def refused(seat: str, error: ActionRefused) -> None:
            telling.refused(seat, error)
            refusals[seat].append(error.message)

        session = play(
            chain,
            seats,
            self._step(chain),
            refused=refused,
            forgetful=self.forgetful,
            before=lambda seat: telling.turn_to(f"{seat} at work"),
            at_time=telling.time,
        )
        kinds = tuple(one.kind for one in partition.holdings)
        return Scene(
            STORIES[self.name],
            chain,
            session,
            tuple(seats),
            kinds,
            wants.budget,
            before,
            refusals,
            held,
            wants.pay_to,
        )

    def _sale(self, parties: Parties) -> Deployed:
        """The contract: one of its own where nobody else is, else the one that all have."""
        if alone():
            contract = parties.deployer.deploy(ape.project.DatasetSale)
            return Deployed(contract, ape.chain.blocks.height)
        if is_local():
            ready(parties.deployer, CONTRACT)
        return deployed(CONTRACT, self.options.deployments)

    def _step(self, chain: DealChain) -> Callable[[Step], None]:
        coin, decimals = currency(chain.token)

        def tell(step: Step) -> None:
            self.telling.step(step)
            if step.receipt.call == "quote":
                *_, sale = chain.read().sales.values()
                self.telling.quoted(step.seat, sale.price, coin, decimals)

        return tell

    def _seats(
        self,
        parties: Parties,
        partition: Partition,
        owner: Owner,
        wants: Wants,
        stall: Stall,
        store: Datastore,
        home: Path,
    ) -> list[Seat]:
        """The buyer, then the sellers, each as the story has it."""
        story = STORIES[self.name]
        buyer = AccountWallet(parties.collector)

        def buy(session: DealSession) -> Buyer:
            return story.buyer(
                buyer, session, owner, wants, store, SecretsFile(home / "buyer.json")
            )

        def seat(number: int) -> Seat:
            account, holding = parties.providers[number], partition.holdings[number]
            role = story.seller if number == 0 else Seller

            def sell(session: DealSession) -> Seller:
                return role(
                    AccountWallet(account),
                    recover,
                    session,
                    holding.samples,
                    stall,
                    store,
                    SecretsFile(home / f"seller-{number + 1}.json"),
                    policy=self.options.policy(),
                )

            return Seat(f"seller {number + 1}", account, sell)

        return [
            Seat("buyer", parties.collector, buy),
            *(seat(number) for number in range(len(partition.holdings))),
        ]


def measure(owner: Owner, scene: Scene, options: PriceOptions, telling: PriceTelling) -> Truth:
    """Trains on each set, on what was bought, and on what other purchases would have been."""
    sets = [one.role.samples for one in scene.sellers]
    true = TrueGains(owner, sets)
    gains = []
    with telling.doing("training on each set") as progress:
        for number in range(len(sets)):
            gains.append(true.of((number,)))
            progress(number + 1, len(sets))
        after = true.owner(scene.chosen).performance()
    ways = None
    if scene.story is STORIES["honest"]:
        prices = [one.sale.price if one.sale else 0 for one in scene.sellers]
        with telling.doing("spending the budget in all ways") as progress:
            ways = compare(
                true,
                prices,
                scene.budget,
                options.oracle,
                orders=options.orders,
                exhaustive=sum(price > 0 for price in prices) <= 10,
                seed=options.seed,
                progress=progress,
            )
    return Truth(gains, owner.performance(), after, ways)
