"""`ape run order`: a buyer's order, from its own folder to the money it takes back.

The same command goes on with the same order, wherever it was killed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from offchain.crypto.settlement import Settlement
from offchain.data.originals import Dataset
from offchain.mde.asked import values_of
from offchain.mde.buyer import Buyer, Wants
from offchain.mde.deals import DealState
from offchain.mde.letters import Proposal
from offchain.mde.owner import Owner
from offchain.mde.publishing import Purse, publish
from offchain.mde.quoting import OrderTerms
from offchain.mde.samples import Samples, Task
from offchain.mde.session import DealSession
from offchain.roles import Clock
from offchain.storage import Node, cid_from_digest
from scripts._mde.chain import read_deals
from scripts._mde.party import PartyDeals, Voice, voice_of
from scripts._mde.party_options import OrderOptions
from scripts._mde.party_sheets import buyer_costs_sheet, buyer_worst_sheet, order_sheet, tells_sheet
from scripts._mde.seats import CONTRACT, Begun, buyer_secrets, id_of, mail_about
from scripts._mde.telling import tell_outlook
from scripts._stage.accounts import receiver
from scripts._stage.chain import chain_home
from scripts._stage.deployments import Deployed, deployed
from scripts._stage.party import PartyTelling, gas_price, party_account, reachable
from scripts._stage.party_sheets import task_sheet
from scripts._stage.retention import keep_on, own_datastore, play_kept
from scripts._stage.secrets import secrets_at
from scripts._stage.table import Seat, Step
from scripts._stage.wallet import AccountWallet


@dataclass
class BuyingParty:
    """The buyer at its table. patience: seconds in which sellers may come."""

    role: Buyer
    patience: int

    def order(self, session: DealSession) -> bytes | None:
        """The one that it posted."""
        self.role.session = session
        return next(iter(self.role.vault.orders()), None)

    def is_over(self, session: DealSession, clock: Clock) -> bool:
        """Once its budget is spent or home."""
        order = self.order(session)
        return order is not None and session.books[order].funds == 0

    def ends(self, session: DealSession) -> list[tuple[int, str]]:
        """Its time to wait for sellers."""
        order = self.order(session)
        if order is None or not session.books[order].free:
            return []
        return [(session.books[order].opened + self.patience, "sellers may come no more")]

    def admitted(self, session: DealSession) -> set[str]:
        """Those who have a dataset there that can be bought, or is being."""
        terms = self.role.wants.terms
        running = {one.dataset for one in session.sales.values() if one.running}
        return {
            one.seller
            for id_, one in session.datasets.items()
            if id_ in running
            or (one.token == terms.token and session.books[id_].free >= terms.stake)
        }

    def objections(self) -> dict[Any, str]:
        """Why it does not buy."""
        return self.role.objections

    def doubt(self, proposal: Proposal) -> str:
        """It proposes nothing."""
        return ""

    def hush(self) -> None:
        """It writes no letters any more."""
        self.role.mute = True


@dataclass
class BuyerTelling(PartyTelling):
    """Tells of an order, too. table: what it is played on."""

    table: PartyDeals | None = None

    def step(self, step: Step) -> None:
        super().step(step)
        if self.table is not None and step.receipt.call == "post":
            self.order(self.table, False)

    def order(self, table: PartyDeals, posted: bool) -> None:
        """What others name it by, and what it asks for. posted: whether it was before."""
        session = table.read()
        if (id_ := table.party.order(session)) is not None:
            task = cid_from_digest(session.orders[id_].artefact)
            self.event("order", order=f"0x{id_.hex()}", task=task, posted=posted)


def run_order(options: OrderOptions) -> None:
    """Posts an order, or goes on with it, and plays the buyer until its money is home.

    Nothing is stored, signed or paid before all that was asked for was checked and agreed to.
    """
    telling = BuyerTelling(as_json=options.as_json)
    home, account = chain_home(), party_account(options.account, options.yes)
    sale = deployed(CONTRACT, options.deployments)
    terms = options.terms(Settlement[(options.settlement or "open").upper()])
    purse, budget = options.purse(), options.units()
    owner_account = str(account.address)
    to = receiver(options.pay_to, owner_account)
    without = frozenset(map(_dataset, options.without))
    begun = Begun(home / "orders", str(sale.contract.address), owner_account, options.name)
    with telling.doing("loading the data") as progress:
        train, validation = options.parts(telling.left_out, progress)
    with own_datastore(options.ipfs, home, options.network) as store:
        reachable(telling, store.addresses)
        with telling.doing("training the model"):
            owner = _owner(options, train, validation)

        def publish_of(of: Owner) -> bytes:
            with telling.doing("making a pricing artefact") as progress:
                tell_outlook(telling, of, options.oracle)
                return publish(of, options.oracle, purse, options.samples, progress)

        wants = Wants(
            terms,
            budget,
            publish_of,
            options.asked(train, store.addresses),
            options.patience,
            options.most_size << 20,
            begun.scope(),
            to,
            options.seconds,
            without,
        )
        role = Buyer(
            AccountWallet(account),
            read_deals(sale.contract, sale.block),
            owner,
            wants,
            store,
            secrets_at(buyer_secrets(owner_account)),
        )
        voice = voice_of(telling, terms.token, options.yes)
        party = BuyingParty(role, options.patience)
        posted = party.order(role.session) is not None
        asked = options.dry_run or not posted
        if asked and not _agreed(options, wants, purse, voice):
            return
        post = partial(_post, account=account, sale=sale, store=store)
        table = telling.table = PartyDeals(sale, terms.token, party, voice, post)
        try:
            if posted:
                telling.order(table, True)
            seat = Seat("buyer", account, lambda _: role, role)
            _tell_end(play_kept(table, seat, telling, store), role, voice)
            keep_on(store, None, owner_account, telling)
        finally:
            table.mail.close()
    begun.over()


def _dataset(reference: str) -> bytes:
    """The id in `--without`. Raises ClickException."""
    if (id_ := id_of(reference)) is None:
        raise click.ClickException(f"without: {reference!r:.80} is no dataset's id")
    return id_


def _post(order: bytes, admits: Any, account: Any, sale: Deployed, store: Node) -> Any:
    return mail_about(order, account, sale, store, admits)


def _owner(options: OrderOptions, train: Dataset, validation: Dataset) -> Owner:
    """The model, judged by what it was not trained on: whoever buys has no other test."""
    trainer, judged, classes = options.trainer(), Samples.of(validation), len(train.classes)
    task = Task(Samples.of(train), judged, classes, trainer.l2)
    return Owner(task, judged, trainer, trainer.fit(task.train, classes))


def _agreed(options: OrderOptions, wants: Wants, purse: Purse, voice: Voice) -> bool:
    """Shows what is to be agreed to; whether it is."""
    price = gas_price(options.gas_price)
    terms: OrderTerms = wants.terms
    voice.telling.sheets(
        (
            task_sheet(wants.task),
            order_sheet(terms, wants.budget, voice, purse=purse, patience=wants.patience),
            tells_sheet(math.prod(values_of(wants.task))),
            buyer_costs_sheet(price),
            buyer_worst_sheet(terms, wants.budget, purse.most, voice),
        )
    )
    if options.dry_run:
        voice.telling.event("dry_run", accepted=True)
        return False
    voice.confirm(f"Post an order with a budget of {voice.money(wants.budget)} under these terms?")
    return True


def _tell_end(session: DealSession, role: Buyer, voice: Voice) -> None:
    """What was bought, and what the model is after it."""
    (order,) = role.vault.orders()
    for sale in session.sales_under(order).values():
        if sale.state is not DealState.QUOTED:
            voice.telling.event(
                "sale",
                dataset=f"0x{sale.dataset.hex()}",
                seller=sale.deal.dataset.seller,
                price=voice.money(sale.price),
                state=sale.state.name.lower(),
            )
    bought = session.bought(order)
    with voice.telling.doing("training the model on what was bought"):
        before, after = role.vault.owner.performance(), role.vault.owner_now().performance()
    voice.telling.event(
        "over",
        order=f"0x{order.hex()}",
        bought=len(bought),
        paid=voice.money(sum(sale.price for sale in bought)),
        accuracy_before=f"{before.accuracy:.1%}",
        accuracy_after=f"{after.accuracy:.1%}",
    )
