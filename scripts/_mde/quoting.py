"""`ape run quote`: a seller's own data under somebody's order, until its money is home.

The same command goes on wherever it was killed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import click

from offchain.crypto.settlement import NATIVE
from offchain.data.form import Pictures
from offchain.data.originals import images_of
from offchain.mde.correspondence import Correspondence
from offchain.mde.deals import DealState, Order
from offchain.mde.letters import Invitation, Proposal
from offchain.mde.report import UNDECIDED
from offchain.mde.samples import Samples
from offchain.mde.seller import Seller
from offchain.mde.session import DealSession
from offchain.mde.stall import Stall
from offchain.policy import TermsRefused
from offchain.roles import Clock
from offchain.storage import Node
from offchain.task import ClassNames, Task, TaskError, fetch_task
from offchain.task.checks import DAY, check_retention
from offchain.task.forms import form_asked, in_form
from offchain.task.images import MODALITY, relabelled
from scripts._mde.party import PartyDeals, Voice, voice_of
from scripts._mde.party_options import QuoteOptions
from scripts._mde.party_sheets import (
    goods_sheet,
    order_sheet,
    quote_tells_sheet,
    seller_costs_sheet,
    seller_worst_sheet,
)
from scripts._mde.seats import CONTRACT, known, letters_here, mail_about
from scripts._stage.accounts import receiver
from scripts._stage.chain import chain_home, clock
from scripts._stage.deployments import Deployed, deployed
from scripts._stage.money import parse_token
from scripts._stage.party import PartyTelling, gas_price, party_account, reachable
from scripts._stage.party_sheets import task_sheet
from scripts._stage.retention import keep_on, own_datastore, play_kept
from scripts._stage.secrets import secrets_at
from scripts._stage.table import Seat
from scripts._stage.wallet import AccountWallet, recover

MOST_SIDE = 512
"""Pixels a side to which a stranger's task has one's pictures resized unasked: more may be more
than the memory holds."""


@dataclass
class SellingParty:
    """The seller at its table."""

    role: Seller
    id: bytes

    def order(self, session: DealSession) -> bytes | None:
        """The one under which it sells, while the chain has it."""
        self.role.session = session
        return self.id if self.id in session.orders else None

    def is_over(self, session: DealSession, clock: Clock) -> bool:
        """Once nothing can come of the order any more and its money is home."""
        self.role.session = session
        if clock.now < self.role.stall.until and self.role.is_wanted(clock):
            return False
        mine = session.books.get(self.role.id)
        running = any(sale.running for sale in session.sales_from(self.role.id))
        return not running and (mine is None or mine.funds == 0)

    def ends(self, session: DealSession) -> list[tuple[int, str]]:
        """Its own time to sell."""
        return [(self.role.stall.until, "you sell no more")]

    def admitted(self, session: DealSession) -> set[str]:
        """The buyer."""
        return {session.orders[self.id].buyer} if self.id in session.orders else set()

    def objections(self) -> dict[Any, str]:
        """Why it does not quote."""
        return self.role.objections

    def doubt(self, proposal: Proposal) -> str:
        """Where the sign of the score is undecided."""
        return UNDECIDED if self.role.is_undecided(proposal.order) else ""

    def hush(self) -> None:
        """It writes no letters any more."""
        self.role.mute = True


def run_quote(reference: str, options: QuoteOptions) -> None:
    """Sells under the order `reference`, or goes on, until the money is home; without `send` it
    tells what can be told before anything leaves.

    Nothing is stored, signed or paid before terms, task and data were checked and agreed to.
    """
    telling = PartyTelling(as_json=options.as_json)
    home, account = chain_home(), party_account(options.account, options.yes)
    sale = deployed(CONTRACT, options.deployments)
    id_, session = known(reference, sale)
    if id_ not in session.orders:
        raise click.ClickException(f"{reference} is a dataset: name the order to sell under")
    order = session.orders[id_]
    _check_token(order, options)
    to = receiver(options.pay_to, str(account.address))
    with own_datastore(options.ipfs, home, options.network) as store:
        reachable(telling, store.addresses)
        with telling.doing("fetching the task"):
            task = fetch_task(store, order.artefact)
            store.connect(task.peers)
        with telling.doing("loading the data") as progress:
            loaded = replace(options, image_size=options.image_size or side_of(task))
            own = loaded.load_originals(telling.left_out, progress)
        form = form_asked(task, own.form, store.get)
        called = ClassNames.parse(options.column_name, "column name").as_task
        files = in_form(
            relabelled(own, task.classes, options.names), form, called, telling.left_out
        )
        with telling.doing("decoding the samples") as progress:
            data = images_of(files, progress) if isinstance(form, Pictures) else files
        secrets = secrets_at(home / f"seller-{account.address}.json")
        stall = Stall(
            order.token,
            order.stake,
            round(options.quote_hours * 3_600),
            clock().now + round(options.stay * 3_600),
            task.classes,
            id_,
            options.licence,
            to,
        )
        role = Seller(
            AccountWallet(account),
            recover,
            session,
            Samples.of(data),
            stall,
            store,
            secrets,
            policy=options.policy_for(order.token),
            originals=[files.content(i) for i in range(len(files))] if own.lie_in_files else [],
        )
        party, voice = SellingParty(role, id_), voice_of(telling, order.token, options.yes)
        registered, agreed = role.id in session.datasets, _agreed_to(role, id_)
        if not agreed or not options.send:
            _check(role, id_, session)
            check_retention(task, round(options.most_retention * DAY))
            _show(role, id_, task, voice, options)
        if not options.send:
            _price_here(role, id_, voice)
            return
        if not agreed:
            stake = voice.money(order.stake)
            voice.confirm(f"Lock {stake}, commit to {own.name} and offer it under these terms?")
        post = partial(_post, account=account, sale=sale, store=store)
        table = PartyDeals(sale, order.token, party, voice, post)
        try:
            role.stall = replace(stall, until=_begun(role, id_) + round(options.stay * 3_600))
            name = f"0x{role.id.hex()}"
            telling.event("dataset", order=reference, dataset=name, registered=registered)
            seat = Seat("seller", account, lambda _: role, role)
            again = partial(_store_again, role)
            session = play_kept(table, seat, telling, store, again)
            _tell_end(session, role, id_, voice)
            sold = any(one.state is DealState.SETTLED for one in session.sales_from(role.id))
            keep_on(store, task if sold else None, name, telling, again)
        finally:
            table.mail.close()


def _store_again(role: Seller) -> None:
    role.store.put(role.stock.file.to_bytes())


def _post(order: bytes, admits: Any, account: Any, sale: Deployed, store: Node) -> Any:
    return mail_about(order, account, sale, store, admits)


def side_of(task: Task) -> int | None:
    """To how many pixels one's pictures are resized, where the task has one size for all."""
    if task.modality != MODALITY:
        return None
    _, height, width = task.shape
    if height == width and height > MOST_SIDE:
        raise TaskError(
            f"the order asks for pictures of {height} by {height} pixels, at most {MOST_SIDE} are "
            f"made of yours unasked: say --image-size {height}"
        )
    return height if height == width and height else None


def _check_token(order: Order, options: QuoteOptions) -> None:
    """Raises TermsRefused for money that the owner does not take: whoever makes a token can make
    it worthless."""
    accepted = {NATIVE, *(parse_token(one) for one in options.accept_token)}
    if order.token not in accepted:
        raise TermsRefused(
            f"terms refused: they pay in {order.token}, which --accept-token does not name"
        )


def _check(role: Seller, order: bytes, session: DealSession) -> None:
    """Raises ClickException for an order that takes no more quotes, and what the role raises."""
    if not session.is_open(order) or not session.books[order].funds:
        raise click.ClickException(f"order 0x{order.hex()} is closed, or its budget is gone")
    role.check_terms(order)
    role.check_task(order)


def _show(role: Seller, order: bytes, task: Task, voice: Voice, options: QuoteOptions) -> None:
    """What is to be agreed to."""
    terms, budget = role.session.orders[order], role.session.books[order].free
    price = gas_price(options.gas_price)
    voice.telling.sheets(
        (
            task_sheet(task),
            goods_sheet(role.stock.originals, len(role.samples)),
            order_sheet(terms, budget, voice, buyer=terms.buyer),
            quote_tells_sheet(options.most_quotes),
            seller_costs_sheet(terms.settlement, price),
            seller_worst_sheet(terms, budget, voice),
        )
    )


def _begun(role: Seller, order: bytes) -> int:
    """When it began to sell under an order, Unix seconds; the same however often it is started."""
    now = clock().now.to_bytes(8, "big")
    return int.from_bytes(role.secrets_file.remember(_begins(role, order), lambda: now), "big")


def _agreed_to(role: Seller, order: bytes) -> bool:
    """Whether its owner agreed to sell under this order before."""
    return _begins(role, order) in role.secrets_file


def _begins(role: Seller, order: bytes) -> str:
    return f"when {role.account} began to sell {role.id.hex()} under order {order.hex()}"


def _price_here(role: Seller, order: bytes, voice: Voice) -> None:
    """The price, computed here, where the buyer's artefact came already; nothing is sent."""
    for letter in letters_here(role.session, order):
        role.session.hear(letter)
    if role.id not in role.session.datasets:
        voice.telling.event("accepted", samples=len(role.samples), price=None)
        voice.telling.show(
            "The buyer seals its artefact to data that was committed to: once you --send, your "
            "price is computed here, and shown before it is proposed."
        )
        return
    invited = Correspondence(role.session, order, role.id).by_buyer(Invitation)
    if not invited:
        voice.telling.event("accepted", samples=len(role.samples), price=None)
        return
    with voice.telling.doing("pricing the data"):
        price = role.price(order, invited[0].artefact)
    doubt = {"undecided": UNDECIDED} if role.is_undecided(order) else {}
    voice.telling.event("accepted", samples=len(role.samples), price=voice.money(price), **doubt)


def _tell_end(session: DealSession, role: Seller, order: bytes, voice: Voice) -> None:
    """What came of it."""
    sales = [sale for sale in session.sales_from(role.id) if sale.order == order]
    state = sales[0].state if sales else DealState.NONE
    sold = state is DealState.SETTLED
    voice.telling.event(
        "over",
        sold=sold,
        state=state.name.lower(),
        paid=voice.money(sales[0].price if sold else 0),
    )
