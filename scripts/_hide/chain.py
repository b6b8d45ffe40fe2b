"""The adapter between the roles of a sale and CleanerSale: events in, transactions out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

import ape
import click
from ape.api import AccountAPI
from ape.contracts import ContractInstance
from ape.types import ContractLog

from offchain.hide.sale import events as ev
from offchain.hide.sale.session import SaleSession
from offchain.roles import Action, Clock
from scripts._stage.chain import Receipt, decoded, event_of, logs_of
from scripts._stage.deployments import Deployed
from scripts._stage.sender import Sender
from scripts._stage.table import Pause

SALE = "CleanerSale"
_ID = re.compile("0x[0-9a-fA-F]{64}")


class SaleChain(Sender):
    """One listing of a CleanerSale on the connected chain, listed or not.

    Attributes:
        id: the listing's; the contract has all sales.
        closing: when the seller closes, Unix seconds; None where only the seller knows.
        buyer: whose purchases alone are waited for; None for everybody's.
    """

    def __init__(
        self,
        contract: ContractInstance,
        id_: bytes,
        token: str,
        first: int,
        closing: int | None = None,
        buyer: str | None = None,
    ) -> None:
        """first: block from which on the listing may have been made."""
        super().__init__(contract, token)
        self.id = id_
        self.closing = closing
        self.buyer = buyer
        self._first = first
        self._times: dict[str, int] = {}

    @classmethod
    def resume(cls, sale: Deployed, reference: str, buyer: str | None = None) -> SaleChain:
        """A listing that was made. Raises ClickException where there is none of that id."""
        found = _listed(sale, reference) if _ID.fullmatch(reference) else None
        if found is None:
            raise click.ClickException(f"no listing {reference} at {sale.contract.address}")
        event, block = found
        return cls(sale.contract, event.id, str(event.terms[1]), block, buyer=buyer)

    @property
    def reference(self) -> str:
        """The listing's id as people write it."""
        return f"0x{self.id.hex()}"

    def logs(self) -> list[ContractLog]:
        """Of all events of the listing, in the chain's order."""
        return decoded(self.contract, logs_of(self.address, self._first, [None, self.reference]))

    def events(self) -> list[ev.Event]:
        """All events of the listing, in the chain's order."""
        return [event_of(log, ev) for log in self.logs()]

    def paid(self) -> dict[str, int]:
        """What came out of the contract so far, by the account that it was owed to."""
        return _paid(self.events())

    def moved(self, payee: str | None) -> dict[str, int]:
        """What each account got from the contract so far, less what it paid in.

        payee: who is paid in the place of whom it is owed to, if anybody is.
        """
        session, moved = self._session(), defaultdict[str, int](int)
        events = []
        for log in self.logs():
            event = event_of(log, ev)
            events.append(event)
            session.apply(event, self._time(log))
            match event:
                case ev.Listed():
                    moved[session.listed.seller] -= event.funds
                case ev.Funded():
                    moved[session.listed.seller] -= event.amount
                case ev.Bought():
                    moved[event.buyer] -= session.purchases[event.buyer].sale.paid
        for account, amount in _paid(events).items():
            moved[payee or account] += amount
        return dict(moved)

    def read(self) -> SaleSession:
        """The listing as its events tell it, read anew: a reorganisation changes what they say."""
        session = self._session()
        for log in self.logs():
            session.apply(event_of(log, ev), self._time(log))
        return session

    def send(self, action: Action, account: AccountAPI) -> Receipt:
        """Does what a role wants done. Raises ActionRefused with the contract's reason."""
        self.call(action.call, action.arguments, account, action.pays)
        return self.receipts[-1]

    def pause(self, session: SaleSession, clock: Clock) -> Pause | None:
        """The next end of a sale's window, or the seller's closing; None where all is over."""
        if session.listing is None:
            return Pause(None)  # a reorganisation took it back; what made it is offered again
        running = session.running(clock.now)
        if self.buyer is not None:
            running = (purchase for purchase in running if purchase.buyer == self.buyer)
        ahead = {p.deadline: _end_of(p.state.name) for p in running}
        if self.buyer is None and not session.closed:
            if self.closing is not None and self.closing > clock.now:
                ahead[self.closing] = "the seller closes"
            elif self.closing is None:
                return Pause(None)
        return Pause(min(ahead), ahead[min(ahead)]) if ahead else None

    def _session(self) -> SaleSession:
        return SaleSession(ape.chain.chain_id, self.address, self.id)

    def _time(self, log: ContractLog) -> int:
        """Of its block, which may be another one of that number after a reorganisation."""
        block = str(log.block_hash)
        if block not in self._times:
            self._times[block] = int(ape.chain.blocks[log.block_number].timestamp)
        return self._times[block]


def _end_of(state: str) -> str:
    return "a key is overdue" if state == "PAID" else "the time for disputes ends"


def _paid(events: Iterable[ev.Event]) -> dict[str, int]:
    """What came out of the contract by a listing's events, by the account that it was owed to."""
    paid = defaultdict[str, int](int)
    seller = ""
    for event in events:
        if isinstance(event, ev.Listed):
            seller = str(event.terms[0])
        elif isinstance(event, ev.Withdrawn):
            paid[seller] += event.amount
        elif isinstance(event, ev.Refunded):
            paid[event.buyer] += event.amount
    return dict(paid)


def was_made(sale: Deployed, reference: str) -> bool:
    """Whether the listing of this id was ever made."""
    return _listed(sale, reference) is not None


def _listed(sale: Deployed, reference: str) -> tuple[ev.Listed, int] | None:
    """The event by which a listing was made, and its block."""
    topics = [None, reference.lower()]
    for log in decoded(sale.contract, logs_of(str(sale.contract.address), sale.block, topics)):
        event = event_of(log, ev)
        if isinstance(event, ev.Listed):
            return event, log.block_number
    return None
