"""A listing and its sales as events tell them: the memory of every role.

A role that was killed reads the events again and stands where it stood. Money is counted as in
CleanerSale, so that a buyer knows before it pays whether the seller's funds answer for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from offchain.crypto.disputable import FileDomain
from offchain.crypto.sealing import SealedKeys
from offchain.crypto.settlement import Settlement
from offchain.hide.sale import events as ev
from offchain.hide.sale.errors import SaleError
from offchain.hide.sale.listings import Level, Listing, Sale, SaleState

RUNNING = (SaleState.PAID, SaleState.DELIVERED)
"""States in which a window runs, or has run out and nobody has said so."""

OVERDUE = "no key came in time"
"""Why a price is taken back where no fault was proved."""


@dataclass(frozen=True)
class Delivery:
    """A key that reached a buyer.

    level: index of what was bought. purchase: see `Purchase.number`. key: published, 32 bytes.
    sealed: delivered sealed; one of the two is None.
    """

    level: int
    purchase: int
    key: bytes | None = None
    sealed: SealedKeys | None = None


@dataclass(frozen=True)
class Purchase:
    """Where one buyer stands.

    state: see ICleanerSale. number: of this purchase among the buyer's, from 0. level: index of
    what it is about. owned: levels at or below the best that the buyer owns. credit: the price of
    that one. sale: what the contract has the hash of. deadline: end of the running window, Unix
    seconds. deliveries: all that reached the buyer, the latest last. fault: what it proved of the
    present purchase, a few words. failed: levels whose price it took back, and why.
    """

    buyer: str
    state: SaleState
    number: int
    level: int
    owned: int
    credit: int
    sale: Sale
    deadline: int
    deliveries: tuple[Delivery, ...] = ()
    fault: str = OVERDUE
    failed: tuple[tuple[int, str], ...] = ()


class SaleSession:
    """One listing of a CleanerSale.

    Attributes:
        chain_id, contract: where. id: the listing's, 32 bytes.
        listing: None until the seller listed it. closed: whether it takes no more purchases.
        catalogue: digest in the CID of what the seller tells beside it.
        funds, held: of the seller's money with the contract, and how much answers for sales.
        purchases: by the buyer's account.
    """

    def __init__(self, chain_id: int, contract: str, id_: bytes) -> None:
        self.chain_id = chain_id
        self.contract = contract
        self.id = id_
        self.listing: Listing | None = None
        self.catalogue = bytes(32)
        self.closed = False
        self.funds = 0
        self.held = 0
        self.purchases: dict[str, Purchase] = {}

    @property
    def listed(self) -> Listing:
        """The listing. Raises SaleError if it was not listed."""
        if self.listing is None:
            raise SaleError(f"there is no listing 0x{self.id.hex()} at {self.contract}")
        return self.listing

    @property
    def free(self) -> int:
        """What no sale holds of the seller's funds."""
        return self.funds - self.held

    def domain(self, level: int) -> FileDomain:
        """The domain of a level's cleaner."""
        return self.listed.domain(self.chain_id, self.contract, level)

    def running(self, now: int) -> Iterator[Purchase]:
        """Purchases whose window has not ended."""
        return (p for p in self._unsettled() if now < p.deadline)

    def due(self, now: int) -> list[Purchase]:
        """Purchases that `settle` would settle or let lapse."""
        return [p for p in self._unsettled() if p.deadline <= now]

    def is_over(self, now: int) -> bool:
        """Whether it is closed, and nobody has anything to do but withdraw or take money back."""
        return self.closed and not any(self._unsettled())

    def _unsettled(self) -> Iterator[Purchase]:
        return (p for p in self.purchases.values() if p.state in RUNNING)

    # ---------------------------------------------------------------- what happened

    def apply(self, event: ev.Event, time: int) -> None:
        """Takes in an event of this listing. time: of its block, Unix seconds."""
        match event:
            case ev.Listed():
                self._list(event)
            case ev.Funded():
                self.funds += event.amount
            case ev.Withdrawn():
                self.funds -= event.amount
            case ev.ListingClosed():
                self.closed = True
            case ev.Bought():
                self._buy(event, time)
            case _:
                self.purchases[event.buyer] = self._changed(self.purchases[event.buyer], event)

    def _list(self, event: ev.Listed) -> None:
        seller, token, stake, settlement, delivery, dispute = event.terms
        listing = Listing(
            seller=str(seller),
            token=str(token),
            stake=stake,
            settlement=Settlement(settlement),
            delivery_time=delivery,
            dispute_time=dispute,
            task=event.task,
            levels=tuple(Level(*level) for level in event.levels),
        )
        if listing.id(self.chain_id, self.contract) != self.id:
            raise SaleError(f"what is told of listing 0x{self.id.hex()} is another one")
        self.listing, self.funds = listing, event.funds
        self.catalogue = event.catalogue

    def _buy(self, event: ev.Bought, time: int) -> None:
        listing = self.listed
        had = self.purchases.get(event.buyer)
        credit = had.credit if had else 0
        sale = Sale.of(listing, event.level, credit, event.one_time_key)
        self.held += listing.hold(sale.paid)
        self.purchases[event.buyer] = Purchase(
            buyer=event.buyer,
            state=SaleState.PAID,
            number=had.number + 1 if had else 0,
            level=event.level,
            owned=had.owned if had else 0,
            credit=credit,
            sale=sale,
            deadline=time + listing.delivery_time,
            deliveries=had.deliveries if had else (),
            failed=had.failed if had else (),
        )

    def _changed(self, had: Purchase, event: ev.Event) -> Purchase:
        hold = self.listed.hold(had.sale.paid)
        sealed = self.listed.settlement is Settlement.SEALED
        match event:
            case ev.KeyPublished():
                self.funds += had.sale.paid
                got = Delivery(had.level, had.number, key=event.key)
                return _delivered(had, got, had.sale, event.deadline)
            case ev.KeySealed():
                words = SealedKeys(event.ephemeral_x, (event.sealed_key,))
                got = Delivery(had.level, had.number, sealed=words)
                sale = had.sale.delivered(event.ephemeral_x, event.sealed_key)
                return _delivered(had, got, sale, event.deadline)
            case ev.Settled():
                self.held -= hold
                self.funds += had.sale.paid if sealed else 0
                price = had.sale.price
                return replace(had, state=SaleState.OWNED, owned=had.level + 1, credit=price)
            case ev.Lapsed():
                self.held -= hold
                return replace(had, state=SaleState.LAPSED)
            case ev.WrongKeyProved() | ev.SpoiltChunkProved():
                self.held -= hold
                self.funds -= hold
                fault = "the key was wrong"
                if isinstance(event, ev.SpoiltChunkProved):
                    fault = f"chunk {event.chunk} was spoilt"
                return replace(had, state=SaleState.CHEATED, fault=fault)
            case ev.Refunded():
                self.held -= hold if had.state is SaleState.PAID else 0
                state = SaleState.OWNED if had.owned else SaleState.NONE
                failed = (*had.failed, (had.level, had.fault))
                return replace(had, state=state, failed=failed)
            case _:
                raise SaleError(f"{type(event).__name__} is of no purchase")


def _delivered(had: Purchase, got: Delivery, sale: Sale, deadline: int) -> Purchase:
    return replace(
        had,
        state=SaleState.DELIVERED,
        sale=sale,
        deadline=deadline,
        deliveries=(*had.deliveries, got),
    )
