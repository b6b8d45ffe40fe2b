"""What an outbox asks of a node, what of an account, and what goes between them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from offchain.errors import SoukError
from scripts._stage.index import Block

GWEI = 10**9


class NodeBusy(SoukError):
    """Whether a node took a transaction is not known: it, or what stands before it, was busy."""


@dataclass(frozen=True)
class Price:
    """Wei for a unit of gas that the next block burns, and what its builder usually gets."""

    base: int
    tip: int

    def fee(self, cap: int) -> Fee:
        """One with which `base` may double meanwhile, within `cap`."""
        return Fee(min(2 * self.base + self.tip, cap), min(self.tip, cap))


@dataclass(frozen=True)
class Fee:
    """Wei for a unit of gas: the most, and what of it goes to the builder."""

    most: int
    tip: int

    def raised(self) -> Fee:
        """The least that pools take in place of it: more by an eighth."""
        return Fee(self.most * 9 // 8 + 1, self.tip * 9 // 8 + 1)


@dataclass(frozen=True)
class Signed:
    """A signed transaction, and its hash, 0x and 64 hex digits."""

    hash: str
    raw: bytes


@dataclass(frozen=True)
class Call:
    """What one wants done, whatever nonce and fee it goes with.

    Attributes:
        to: 0x address. value: wei. gas: its limit, by which alone no two calls differ.
    """

    to: str
    value: int
    data: bytes
    gas: int = field(compare=False)


class Signer(Protocol):
    """An account that signs calls.

    Attributes:
        address: 0x.
    """

    address: str

    def sign(self, call: Call, nonce: int, fee: Fee) -> Signed:
        """The transaction."""


class Pool(Protocol):
    """What an outbox asks of a node."""

    def nonce(self, sender: str) -> int:
        """How many transactions of an account are in the chain."""

    def price(self) -> Price:
        """What gets a transaction into the next block."""

    def height(self) -> int:
        """Of the newest block."""

    def block_of(self, hash_: str) -> int | None:
        """The block that a transaction is in."""

    def has(self, block: Block) -> bool:
        """Whether the chain has that very block."""

    def send(self, raw: bytes) -> None:
        """Offers a transaction; one that the node has, or that is too late, does nothing.

        Raises NodeRefused where the node does not want it, NodeBusy where that is not known.
        """
