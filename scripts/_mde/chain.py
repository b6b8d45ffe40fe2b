"""The adapter between buyer, sellers and DatasetSale: deals in, transactions out, with receipts."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import ape
from ape.api import AccountAPI, ReceiptAPI

from offchain.crypto.settlement import NATIVE
from offchain.mde.buyer import Delivery, Fault
from offchain.mde.deals import Account, Dataset, Deal, Order, Place, Purchase
from scripts._stage.chain import ActionRefused, Receipt, entry_of, transact
from scripts._stage.money import approve, balance_of


class PriceChain:
    """A fresh DatasetSale on the connected chain, and all that was sent to it.

    Attributes:
        place: the contract. receipts: of all transactions, those that failed included.
        refused: calls that the chain would not take.
    """

    def __init__(self, deployer: AccountAPI, token: str) -> None:
        self.contract = deployer.deploy(ape.project.DatasetSale)
        self.place = Place(int(ape.chain.chain_id), str(self.contract.address))
        self.token = token
        self.receipts: list[Receipt] = []
        self.refused: list[str] = []

    # ---------------------------------------------------------------- calls

    def post(self, order: Order, budget: int, buyer: AccountAPI) -> Receipt:
        """Commits to the artefact and escrows the budget."""
        return self._pay("post", (order.args(), budget), budget, buyer)

    def register(self, dataset: Dataset, funds: int, seller: AccountAPI) -> Receipt:
        """Commits to the data and puts up what answers for its sale."""
        return self._pay("register", (dataset.args(), funds), funds, seller)

    def quote(self, deal: Deal, signatures: tuple[bytes, bytes], sender: AccountAPI) -> Receipt:
        """Records a quote; the buyer's signature first."""
        return self._send("quote", (deal.args(), *signatures), sender)

    def purchase(self, deal: Deal, one_time_key: int, buyer: AccountAPI) -> Receipt:
        """Accepts a quote."""
        return self._send("purchase", (deal.args(), one_time_key), buyer)

    def publish_key(
        self, deal: Deal, purchase: Purchase, key: bytes, seller: AccountAPI
    ) -> Delivery:
        """Delivers a key for all to see."""
        sent = self._sent("publishKey", (deal.args(), purchase.args(), key), seller)
        (log,) = self.contract.KeyPublished.from_receipt(sent)
        return Delivery(key=bytes(log.key))

    def seal_key(
        self, deal: Deal, purchase: Purchase, sealed: tuple[int, bytes], seller: AccountAPI
    ) -> Delivery:
        """Delivers a key for the buyer's eyes."""
        sent = self._sent("sealKey", (deal.args(), purchase.args(), *sealed), seller)
        (log,) = self.contract.KeySealed.from_receipt(sent)
        return Delivery(ephemeral_x=int(log.ephemeralX), sealed=bytes(log.sealedKey))

    def accept(self, deal: Deal, purchase: Purchase, buyer: AccountAPI) -> Receipt:
        """Settles at once."""
        return self._send("accept", (deal.args(), purchase.args()), buyer)

    def settle(self, deal: Deal, purchase: Purchase, sender: AccountAPI) -> Receipt:
        """Settles what is due, or lets it lapse."""
        return self._send("settle", (deal.args(), purchase.args()), sender)

    def prove(self, deal: Deal, purchase: Purchase, fault: Fault, buyer: AccountAPI) -> Receipt:
        """Has the contract judge a fault."""
        return self._send(fault.call, (deal.args(), purchase.args(), *fault.evidence), buyer)

    def close(self, account: Account, owner: AccountAPI) -> Receipt:
        """No more quotes and purchases."""
        return self._send("close", (account.args(),), owner)

    def withdraw(self, account: Account, owner: AccountAPI) -> Receipt | None:
        """Takes out all that is free; nothing to do where nothing is."""
        free = self.free(account)
        return self._send("withdraw", (account.args(), free), owner) if free else None

    # ---------------------------------------------------------------- views

    def free(self, account: Account) -> int:
        """What an account has and no sale holds, in the smallest unit."""
        _, _, funds, held = self.contract.accountOf(account.id(self.place), skip_trace=True)
        return int(funds) - int(held)

    def deadline(self, deal: Deal) -> int:
        """When the running window of a pair ends, in seconds since 1970."""
        return int(self.contract.dealOf(deal.pair, skip_trace=True)[1])

    def held(self) -> int:
        """What the contract holds of everybody's."""
        return balance_of(self.token, self.place.contract)

    def fees(self) -> dict[str, int]:
        """Fees by account, in wei."""
        totals: dict[str, int] = defaultdict(int)
        for receipt in self.receipts:
            totals[receipt.account] += receipt.fees
        return dict(totals)

    # ---------------------------------------------------------------- sending

    def _pay(self, call: str, arguments: Any, amount: int, sender: AccountAPI) -> Receipt:
        self.receipts += approve(self.token, sender, self.place.contract, amount)
        return self._send(call, arguments, sender, amount if self.token == NATIVE else 0)

    def _send(self, call: str, arguments: Any, sender: AccountAPI, value: int = 0) -> Receipt:
        self._sent(call, arguments, sender, value)
        return self.receipts[-1]

    def _sent(self, call: str, arguments: Any, sender: AccountAPI, value: int = 0) -> ReceiptAPI:
        try:
            receipt = transact(getattr(self.contract, call), arguments, sender, value)
        except ActionRefused as error:
            self.refused.append(call)
            if error.receipt:
                self.receipts.append(entry_of(call, error.receipt))
            raise
        self.receipts.append(entry_of(call, receipt))
        return receipt
