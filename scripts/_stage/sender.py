"""Sending: one contract's calls, what each cost, and what the accounts gained by them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from ape.api import AccountAPI, ReceiptAPI
from ape.contracts import ContractInstance

from offchain.crypto.settlement import NATIVE
from offchain.report.money import Money
from scripts._stage.chain import ActionRefused, Receipt, Waited, entry_of, transact
from scripts._stage.money import balance_of
from scripts._stage.permit import paid_calls


class Sender:
    """Calls a contract for its parties and keeps what came of each call.

    Attributes:
        contract: what is called. token: what pays, NATIVE for the native coin.
        receipts: of all transactions sent, those that failed included.
        refused: calls that the chain would not take, in order.
        away: what was paid to another account in an account's place, by that account; the account
            that was paid has so much less than nothing.
    """

    def __init__(self, contract: ContractInstance, token: str) -> None:
        self.contract = contract
        self.token = token
        self.receipts: list[Receipt] = []
        self.refused: list[str] = []
        self.away: dict[str, int] = {}

    @property
    def address(self) -> str:
        """0x address of the contract."""
        return str(self.contract.address)

    def call(self, name: str, arguments: Any, account: AccountAPI, pays: int = 0) -> ReceiptAPI:
        """Sends a call by which `account` pays so much in the coin that pays; an ERC-20 by a signed
        allowance, or approved first. Raises ActionRefused with the contract's reason."""
        for one in paid_calls(self.contract, name, arguments, account, self.token, pays):
            try:
                receipt = transact(one.method, one.arguments, account, one.value)
            except Waited:
                raise
            except ActionRefused as error:
                self.refused.append(one.name)
                if error.receipt:
                    self.receipts.append(entry_of(one.name, error.receipt))
                raise
            self.receipts.append(entry_of(one.name, receipt))
        return receipt

    def fees(self) -> dict[str, int]:
        """Fees by account, in wei."""
        totals: dict[str, int] = defaultdict(int)
        for receipt in self.receipts:
            totals[receipt.account] += receipt.fees
        return dict(totals)

    def paid_away(self, owed: Mapping[str, int], payee: str) -> None:
        """What came out of the contract for each account went to another one, `payee`: it counts as
        theirs whom it was owed to."""
        self.away = dict(owed)
        self.away[payee] = self.away.get(payee, 0) - sum(owed.values())

    def gain(self, account: str, before: int) -> int:
        """What an account has more than `before`, fees set aside, or was paid elsewhere; negative
        if it lost."""
        fees = self.fees().get(account, 0) if self.token == NATIVE else 0
        return balance_of(self.token, account) - before + fees + self.away.get(account, 0)

    def money(
        self, party: str, account: str, before: int, *, claimable: int = 0, why: str = ""
    ) -> Money:
        """The line of an account in the table of money. claimable: what the contract owes it."""
        return Money(
            party=party,
            before=before,
            after=balance_of(self.token, account),
            fees=self.fees().get(account, 0),
            gain=self.gain(account, before) + claimable,
            claimable=claimable,
            why=why,
        )
