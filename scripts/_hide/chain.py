"""The adapter between the roles of a sale and CleanerSale: events in, transactions out."""

from __future__ import annotations

from collections import defaultdict

import ape
from ape.api import AccountAPI
from ape.contracts import ContractInstance

from offchain.crypto.settlement import NATIVE
from offchain.hide.sale import events as ev
from offchain.hide.sale.session import SaleSession
from offchain.roles import Action, Clock
from scripts._stage.chain import (
    ActionRefused,
    Receipt,
    decoded,
    entry_of,
    event_of,
    logs_of,
    transact,
)
from scripts._stage.money import approve
from scripts._stage.table import Pause


class SaleChain:
    """One listing of a CleanerSale on the connected chain, listed or not.

    Attributes:
        contract: all sales. id: the listing's. token: what pays.
        closing: when the seller closes, Unix seconds.
        receipts: of all transactions sent, those that failed included.
        refused: calls that the chain would not take.
    """

    def __init__(
        self, contract: ContractInstance, id_: bytes, token: str, first: int, closing: int
    ) -> None:
        """first: block from which on the listing may have been made."""
        self.contract = contract
        self.id = id_
        self.token = token
        self.closing = closing
        self.receipts: list[Receipt] = []
        self.refused: list[str] = []
        self._first = first
        self._times: dict[int, int] = {}

    @property
    def address(self) -> str:
        """0x address of the contract."""
        return str(self.contract.address)

    def fees(self) -> dict[str, int]:
        """Fees by account, in wei."""
        totals: dict[str, int] = defaultdict(int)
        for receipt in self.receipts:
            totals[receipt.account] += receipt.fees
        return dict(totals)

    def read(self) -> SaleSession:
        """The listing as its events tell it, read anew: a reorganisation changes what they say."""
        session = SaleSession(ape.chain.chain_id, self.address, self.id)
        logs = logs_of(self.address, self._first, [None, "0x" + self.id.hex()])
        for log in decoded(self.contract, logs):
            session.apply(event_of(log, ev), self._time(log.block_number))
        return session

    def send(self, action: Action, account: AccountAPI) -> Receipt:
        """Does what a role wants done. Raises ActionRefused with the contract's reason."""
        value = action.pays if self.token == NATIVE else 0
        if action.pays and not value:
            self.receipts += approve(self.token, account, self.address, action.pays)
        method = getattr(self.contract, action.call)
        try:
            receipt = transact(method, action.arguments, account, value)
        except ActionRefused as error:
            self.refused.append(action.call)
            if error.receipt:
                self.receipts.append(entry_of(action.call, error.receipt))
            raise
        self.receipts.append(entry_of(action.call, receipt))
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
