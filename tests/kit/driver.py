"""What every driver of a contract does besides its calls: waiting, asking, counting money."""

from __future__ import annotations

from typing import Any

import ape
from ape.api import ReceiptAPI
from ape.contracts import ContractInstance

from tests.kit.refusals import Refusal, refusal


class Driver:
    """One contract as tests use it.

    Attributes:
        contract: what is called; each driver has it as a field or a property.
        usual: whoever calls unless a test says who; None where every test says it.
    """

    contract: ContractInstance
    usual: Any = None

    @property
    def now(self) -> int:
        """The latest block's time, in Unix seconds."""
        return ape.chain.blocks.head.timestamp

    def go_to(self, timestamp: int) -> None:
        """Mines a block at ``timestamp``; does nothing when the chain is there already."""
        if self.now < timestamp:
            ape.chain.mine(timestamp=timestamp)

    def at(self, timestamp: int) -> None:
        """Has the next transaction happen at ``timestamp``."""
        ape.chain.pending_timestamp = timestamp

    def refusal(self, name: str, *args: Any, sender: Any = None, value: int = 0) -> Refusal | None:
        """How the contract's method of that name would be refused now; None if not."""
        method = getattr(self.contract, name)
        return refusal(method, *args, sender=sender or self.usual, value=value)

    def goes(self, name: str, *args: Any, sender: Any = None, value: int = 0) -> bool:
        """Whether such a call would go through now."""
        return self.refusal(name, *args, sender=sender, value=value) is None


def balance_of(account: Any, token: ContractInstance | None = None) -> int:
    """What an account, or an address, has of a token, or without one of the native coin in wei."""
    if token:
        return token.balanceOf(account)
    return ape.chain.provider.get_balance(getattr(account, "address", account))


def gained(account: Any, receipt: ReceiptAPI) -> int:
    """What ``account`` gained in the receipt's block, in wei, but for the gas it paid."""
    balance = ape.chain.provider.web3.eth.get_balance
    block = receipt.block_number
    change = balance(account.address, block) - balance(account.address, block - 1)
    return change + (receipt.total_fees_paid if receipt.sender == account else 0)
