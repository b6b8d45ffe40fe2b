"""The adapter between the roles of a sale and CleanerSale: events in, transactions out."""

from __future__ import annotations

import ape
from ape.api import AccountAPI
from ape.contracts import ContractInstance

from offchain.hide.sale import events as ev
from offchain.hide.sale.session import SaleSession
from offchain.roles import Action, Clock
from scripts._stage.chain import Receipt, decoded, event_of, logs_of
from scripts._stage.sender import Sender
from scripts._stage.table import Pause


class SaleChain(Sender):
    """One listing of a CleanerSale on the connected chain, listed or not.

    Attributes:
        id: the listing's; the contract has all sales.
        closing: when the seller closes, Unix seconds.
    """

    def __init__(
        self, contract: ContractInstance, id_: bytes, token: str, first: int, closing: int
    ) -> None:
        """first: block from which on the listing may have been made."""
        super().__init__(contract, token)
        self.id = id_
        self.closing = closing
        self._first = first
        self._times: dict[int, int] = {}

    def read(self) -> SaleSession:
        """The listing as its events tell it, read anew: a reorganisation changes what they say."""
        session = SaleSession(ape.chain.chain_id, self.address, self.id)
        logs = logs_of(self.address, self._first, [None, "0x" + self.id.hex()])
        for log in decoded(self.contract, logs):
            session.apply(event_of(log, ev), self._time(log.block_number))
        return session

    def send(self, action: Action, account: AccountAPI) -> Receipt:
        """Does what a role wants done. Raises ActionRefused with the contract's reason."""
        self.call(action.call, action.arguments, account, action.pays)
        return self.receipts[-1]

    def pause(self, session: SaleSession, clock: Clock) -> Pause | None:
        """The next end of a sale's window, or the seller's closing."""
        ahead = {p.deadline: _end_of(p.state.name) for p in session.running(clock.now)}
        if not session.closed and self.closing > clock.now:
            ahead[self.closing] = "the seller closes"
        return Pause(min(ahead), ahead[min(ahead)]) if ahead else None

    def _time(self, block: int) -> int:
        if block not in self._times:
            self._times[block] = int(ape.chain.blocks[block].timestamp)
        return self._times[block]


def _end_of(state: str) -> str:
    return "a key is overdue" if state == "PAID" else "the time for disputes ends"
