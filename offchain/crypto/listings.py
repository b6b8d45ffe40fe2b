"""What a listing of cleaners commits to: the Python twin of ``contracts/sale``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from eth_hash.auto import keccak

from offchain.crypto import commitments as cm
from offchain.crypto.commitments import word
from offchain.crypto.disputable import FileDomain

CLEANER_TYPE = keccak(b"souk.sale.cleaner.v1")
LEVEL_TYPE = keccak(b"souk.sale.level.v1")
LISTING_TYPE = keccak(b"souk.sale.listing.v1")

Word = int | bytes | str

NATIVE = "0x" + "00" * 20
"""The token that stands for the native coin."""
NOBODY = NATIVE
MAX_LEVELS = 32
CONTENT_BYTES = 24


class Settlement(IntEnum):
    """How a key reaches its buyer, as in ``ITradingSession.sol``."""

    OPEN = 0
    SEALED = 1


class SaleState(IntEnum):
    """Where a buyer stands, as in ``ICleanerSale.sol``."""

    NONE = 0
    PAID = 1
    DELIVERED = 2
    CHEATED = 3
    LAPSED = 4
    OWNED = 5


def cleaner_domain(
    chain_id: int, contract: str, seller: str, dataset: bytes, level: int
) -> FileDomain:
    """The domain of the cleaner of ``level`` for the masked dataset with digest ``dataset``."""
    label = keccak(CLEANER_TYPE + word(dataset) + word(level))
    return FileDomain(chain_id, contract, seller, label)


@dataclass(frozen=True)
class Level:
    """One level of learnability.

    Attributes:
        accuracy_bps: test accuracy claimed, 1 to 10,000.
        price: in the token's smallest unit, from 1 to 2**96 - 1.
        file: commitment to the encrypted cleaner (``EncryptedFile.commitment``).
        key_hash: commitment to its key (``FileDomain.key_hash``).
    """

    accuracy_bps: int
    price: int
    file: bytes
    key_hash: bytes

    def args(self) -> tuple[Word, ...]:
        """The struct as a call takes it."""
        return (self.accuracy_bps, self.price, self.file, self.key_hash)

    def leaf(self, index: int) -> bytes:
        """Leaf ``index`` of the tree of levels."""
        return keccak(cm.leaf(LEVEL_TYPE, index, keccak(b"".join(map(word, self.args())))))


@dataclass(frozen=True)
class Listing:
    """What a seller offers; fields as in ``ICleanerSale.sol``, amounts in the smallest unit.

    Attributes:
        levels: cheapest first; the contract has only the root of their tree.
    """

    seller: str
    token: str
    stake: int
    settlement: Settlement
    delivery_time: int
    dispute_time: int
    dataset: bytes
    levels: tuple[Level, ...]

    @property
    def leaves(self) -> list[bytes]:
        """The leaves of the tree of levels."""
        return [level.leaf(i) for i, level in enumerate(self.levels)]

    @property
    def root(self) -> bytes:
        """The root of the tree of levels."""
        return cm.root_of(self.leaves)

    def path(self, index: int) -> list[bytes]:
        """Siblings from a level to the root."""
        return cm.path(self.leaves, index)

    def args(self) -> tuple[Word, ...]:
        """The struct as a call takes it."""
        return (
            self.seller,
            self.token,
            self.stake,
            int(self.settlement),
            self.delivery_time,
            self.dispute_time,
            len(self.levels),
            self.dataset,
            self.root,
        )

    def id(self, chain_id: int, contract: str) -> bytes:
        """The listing's id at the contract."""
        head = LISTING_TYPE + word(chain_id) + word(contract)
        return keccak(head + b"".join(map(word, self.args())))

    def domain(self, chain_id: int, contract: str, level: int) -> FileDomain:
        """The domain of a level's cleaner."""
        return cleaner_domain(chain_id, contract, self.seller, self.dataset, level)

    def hold(self, paid: int) -> int:
        """What a sale holds of the seller's funds."""
        return self.stake + (paid if self.settlement is Settlement.OPEN else 0)


@dataclass(frozen=True)
class Sale:
    """One purchase; fields as in ``ICleanerSale.sol``."""

    price: int
    credit: int
    file: bytes
    key_hash: bytes
    one_time_key: str = NOBODY
    delivery: bytes = bytes(32)

    @classmethod
    def of(cls, level: Level, credit: int = 0, one_time_key: str = NOBODY) -> Sale:
        """The purchase of a level by who owns one of price ``credit``, or none."""
        return cls(level.price, credit, level.file, level.key_hash, one_time_key)

    def delivered(self, ephemeral_x: int, sealed_key: bytes) -> Sale:
        """The same once a key was delivered sealed."""
        return replace(self, delivery=keccak(word(ephemeral_x) + word(sealed_key)))

    @property
    def paid(self) -> int:
        """What the buyer paid."""
        return self.price - self.credit

    def args(self) -> tuple[Word, ...]:
        """The struct as a call takes it."""
        return (
            self.price, self.credit, self.file, self.key_hash, self.one_time_key, self.delivery,
        )  # fmt: skip

    def digest(self) -> bytes:
        """What the contract keeps of it, 24 bytes."""
        return keccak(b"".join(map(word, self.args())))[:CONTENT_BYTES]


def due(sales: Sequence[tuple[str, Sale]]) -> list[tuple[str, tuple[Word, ...]]]:
    """Buyers and their sales as ``settle`` takes them."""
    return [(buyer, sale.args()) for buyer, sale in sales]
