"""A DatasetSale as its events tell it, and the letters of its parties: the memory of every role.

A role that was killed reads both again and stands where it stood. Money is counted as the contract
counts it, so that a party knows what is free before it acts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from offchain.crypto.disputable import FileDomain
from offchain.crypto.settlement import Settlement
from offchain.mde import events as ev
from offchain.mde.deals import (
    Dataset,
    Deal,
    DealState,
    Order,
    Place,
    Purchase,
    Quote,
    dataset_domain,
)
from offchain.mde.errors import SessionError
from offchain.mde.letters import Letter, Message

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Book:
    """The money of one order or dataset with the contract, smallest unit.

    Attributes:
        funds: what it has. held: how much of it answers for sales under way.
        withdrawn: what its owner took out so far.
        closed: whether it takes part in no more deals.
        opened: when it was made, Unix seconds.
    """

    funds: int
    opened: int
    held: int = 0
    withdrawn: int = 0
    closed: bool = False

    @property
    def free(self) -> int:
        """What its owner may take."""
        return self.funds - self.held


@dataclass(frozen=True)
class Delivery:
    """How a key came. ephemeral_x: 0 and sealed: empty where `key` was published."""

    key: bytes = b""
    ephemeral_x: int = 0
    sealed: bytes = b""


@dataclass(frozen=True)
class Sale:
    """Where a pair of artefact and dataset stands, from its quote on.

    Attributes:
        order, dataset: ids. deal: what was quoted. purchase: as calls take it.
        deadline: end of the running window, Unix seconds; of a quote its expiry; 0 once it ended.
        delivery: None until a key came. proof: of the fault that took the stake, if one did.
    """

    order: bytes
    dataset: bytes
    deal: Deal
    state: DealState
    deadline: int
    purchase: Purchase = field(default_factory=Purchase)
    delivery: Delivery | None = None
    proof: ev.Proof | None = None

    @property
    def price(self) -> int:
        """As quoted."""
        return self.deal.quote.price

    def args(self) -> tuple[Any, ...]:
        """Deal and purchase as calls take them."""
        return (self.deal.args(), self.purchase.args())

    @property
    def running(self) -> bool:
        """Whether it holds money of both."""
        return self.state in (DealState.PAID, DealState.DELIVERED)


class DealSession:
    """All deals of one DatasetSale.

    Attributes:
        place: the contract.
        orders, datasets: by id, in the order in which they were made.
        books: the money of both, by id.
        sales: by pair, in the order in which they were quoted.
        purchased: pairs in the order in which they were paid.
        withdrawn: pairs of which no quote can be recorded or bought any more.
        letters: what the parties told each other, in the order in which they said it; add to them
            by `hear`.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.orders: dict[bytes, Order] = {}
        self.datasets: dict[bytes, Dataset] = {}
        self.books: dict[bytes, Book] = {}
        self.sales: dict[bytes, Sale] = {}
        self.purchased: list[bytes] = []
        self.withdrawn: set[bytes] = set()
        self.letters: list[Letter] = []
        self._said: dict[tuple[type, str, str], list[Any]] = {}

    # ---------------------------------------------------------------- how it stands

    def orders_of(self, buyer: str) -> list[bytes]:
        """Ids of a buyer's orders, the latest last."""
        return [id_ for id_, order in self.orders.items() if order.buyer == buyer]

    def is_open(self, id_: bytes) -> bool:
        """Whether an order or dataset is there and takes part in new deals."""
        return id_ in self.books and not self.books[id_].closed

    def bought(self, order: bytes) -> list[Sale]:
        """What was paid for good under an order, in the order of the purchases."""
        sales = (self.sales[pair] for pair in self.purchased)
        return [s for s in sales if s.order == order and s.state is DealState.SETTLED]

    @property
    def pairs(self) -> set[bytes]:
        """Pairs of which no quote can be recorded, since one was or all were withdrawn."""
        return self.withdrawn | self.sales.keys()

    def sales_under(self, order: bytes) -> dict[bytes, Sale]:
        """What was quoted under an order, by dataset, in the order of their registration."""
        found = {sale.dataset: sale for sale in self.sales.values() if sale.order == order}
        return {id_: found[id_] for id_ in self.datasets if id_ in found}

    def sales_from(self, dataset: bytes) -> list[Sale]:
        """What was quoted for a dataset."""
        return [sale for sale in self.sales.values() if sale.dataset == dataset]

    def said(self, kind: type[M], sender: str, to: str) -> Sequence[M]:
        """What one party said to another, of one kind."""
        # Looked up: others may have written many thousands of letters.
        return self._said.get((kind, sender, to), [])

    def domain(self, dataset: bytes) -> FileDomain:
        """The domain of a dataset's file."""
        found = self.datasets[dataset]
        return dataset_domain(self.place, found.seller, found.name)

    # ---------------------------------------------------------------- what happened

    def hear(self, letter: Letter) -> None:
        """Takes in the next letter."""
        self.letters.append(letter)
        key = (type(letter.message), letter.sender, letter.to)
        self._said.setdefault(key, []).append(letter.message)

    def apply(self, event: ev.Event, time: int) -> None:
        """Takes in the next event. time: of its block, Unix seconds. Raises SessionError."""
        match event:
            case ev.Posted():
                told = Order(*event.order)
                order = replace(told, settlement=Settlement(told.settlement))
                self._require_id(event.id, order.account.id(self.place))
                self.orders[event.id] = order
                self.books[event.id] = Book(event.budget, time)
            case ev.Registered():
                dataset = Dataset(*event.dataset)
                self._require_id(event.id, dataset.account.id(self.place))
                self.datasets[event.id] = dataset
                self.books[event.id] = Book(event.funds, time)
            case ev.Funded():
                self._move(event.id, funds=event.amount)
            case ev.Withdrawn():
                self._move(event.id, funds=-event.amount, withdrawn=event.amount)
            case ev.Closed():
                self.books[event.id] = replace(self._book(event.id), closed=True)
            case ev.Quoted():
                self._quote(event)
            case ev.QuoteWithdrawn():
                self._withdraw_quote(event.pair)
            case ev.Purchased():
                self._purchase(event)
            case ev.KeyPublished():
                got = Delivery(key=event.key)
                self._deliver(event.pair, event.deadline, got, self._sale(event.pair).purchase)
            case ev.KeySealed():
                got = Delivery(ephemeral_x=event.ephemeral_x, sealed=event.sealed_key)
                bought = self._sale(event.pair).purchase
                delivered = bought.delivered(event.ephemeral_x, event.sealed_key)
                self._deliver(event.pair, event.deadline, got, delivered)
            case ev.Settled():
                sale = self._end(event.pair, DealState.SETTLED)
                self._move(sale.order, funds=-sale.price)
                self._move(sale.dataset, funds=sale.price)
            case ev.Lapsed():
                self._end(event.pair, DealState.LAPSED)
            case _:
                sale = self._end(event.pair, DealState.CHEATED, event)
                self._move(sale.order, funds=sale.deal.order.stake)
                self._move(sale.dataset, funds=-sale.deal.order.stake)

    def _quote(self, event: ev.Quoted) -> None:
        self._book(event.order)
        self._book(event.dataset)
        quote = Quote(*event.quote)
        deal = Deal(self.orders[event.order], self.datasets[event.dataset], quote)
        self._require_id(event.pair, deal.pair)
        self.sales[event.pair] = Sale(
            event.order, event.dataset, deal, DealState.QUOTED, quote.expiry
        )

    def _withdraw_quote(self, pair: bytes) -> None:
        self.withdrawn.add(pair)
        if pair in self.sales:
            self.sales[pair] = replace(self.sales[pair], state=DealState.WITHDRAWN, deadline=0)

    def _purchase(self, event: ev.Purchased) -> None:
        sale = self._sale(event.pair)
        self._move(sale.order, held=sale.price)
        self._move(sale.dataset, held=sale.deal.order.stake)
        self.purchased.append(event.pair)
        self.sales[event.pair] = replace(
            sale,
            state=DealState.PAID,
            deadline=event.deadline,
            purchase=Purchase(event.one_time_key),
        )

    def _deliver(self, pair: bytes, deadline: int, got: Delivery, purchase: Purchase) -> None:
        self.sales[pair] = replace(
            self._sale(pair),
            state=DealState.DELIVERED,
            deadline=deadline,
            purchase=purchase,
            delivery=got,
        )

    def _end(self, pair: bytes, state: DealState, proof: ev.Proof | None = None) -> Sale:
        """Releases what a sale held."""
        sale = replace(self._sale(pair), state=state, deadline=0, proof=proof)
        self._move(sale.order, held=-sale.price)
        self._move(sale.dataset, held=-sale.deal.order.stake)
        self.sales[pair] = sale
        return sale

    def _move(self, id_: bytes, funds: int = 0, held: int = 0, withdrawn: int = 0) -> None:
        book = self._book(id_)
        self.books[id_] = replace(
            book,
            funds=book.funds + funds,
            held=book.held + held,
            withdrawn=book.withdrawn + withdrawn,
        )

    def _book(self, id_: bytes) -> Book:
        if id_ not in self.books:
            raise SessionError(f"no order or dataset 0x{id_.hex()} at {self.place.contract}")
        return self.books[id_]

    def _sale(self, pair: bytes) -> Sale:
        if pair not in self.sales:
            raise SessionError(f"pair 0x{pair.hex()} was never quoted at {self.place.contract}")
        return self.sales[pair]

    def _require_id(self, told: bytes, derived: bytes) -> None:
        if told != derived:
            raise SessionError(f"what is told of 0x{told.hex()} is of 0x{derived.hex()}")
