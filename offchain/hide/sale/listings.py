"""What a listing of cleaners commits to: the Python twin of ``contracts/hide``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from eth_hash.auto import keccak

from offchain.crypto.commitments import word
from offchain.crypto.disputable import FileDomain
from offchain.crypto.settlement import Settlement, Word

CLEANER_TYPE = keccak(b"souk.sale.cleaner.v1")
OFFER_TYPE = keccak(b"souk.sale.offer.v1")
LISTING_TYPE = keccak(b"souk.sale.listing.v1")
SETTLED = 300
"""Sales that one call settles: 57,892 bytes of the 131,072 that a transaction may have."""
MAX_LEVELS = 32
CONTENT_BYTES = 24


class SaleState(IntEnum):
    """Where a buyer stands, as in ``ICleanerSale.sol``."""

    NONE = 0
    PAID = 1
    DELIVERED = 2
    CHEATED = 3
    LAPSED = 4
    OWNED = 5


def cleaner_domain(
    chain_id: int, contract: str, seller: str, task: bytes, level: int
) -> FileDomain:
    """The domain of the cleaner of ``level`` for a task with this digest."""
    label = keccak(CLEANER_TYPE + word(task) + word(level))
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

    def goods(self, task: bytes) -> tuple[Word, ...]:
        """What is sold at this level, as a call takes it."""
        return (task, self.accuracy_bps, self.file, self.key_hash)

    def goods_hash(self, task: bytes) -> bytes:
        """The 32 bytes by which a purchase names what was sold."""
        return keccak(_encode(self.goods(task)))

    def offer(self, task: bytes) -> tuple[Word, ...]:
        """The level as a buyer brings it."""
        return (self.price, self.goods_hash(task))

    def leaf(self, task: bytes, index: int) -> bytes:
        """Leaf ``index`` of the tree of offers."""
        return keccak(keccak(OFFER_TYPE + word(index) + _encode(self.offer(task))))


@dataclass(frozen=True)
class Listing:
    """What a seller offers; fields as in ``ICleanerSale.sol``, amounts in the smallest unit.

    Attributes:
        task: 32-byte digest in the CID of the task, which names licence and masked dataset.
        levels: cheapest first; the contract has only the root of their tree.
    """

    seller: str
    token: str
    stake: int
    settlement: Settlement
    delivery_time: int
    dispute_time: int
    task: bytes
    levels: tuple[Level, ...]

    @property
    def leaves(self) -> list[bytes]:
        """The leaves of the tree of offers."""
        return [level.leaf(self.task, i) for i, level in enumerate(self.levels)]

    @property
    def root(self) -> bytes:
        """The root of the tree of offers."""
        return _levels(self.leaves)[-1][0]

    def path(self, index: int) -> list[bytes]:
        """Siblings from an offer to the root."""
        path = []
        for row in _levels(self.leaves)[:-1]:
            path += row[index ^ 1 : (index ^ 1) + 1]
            index >>= 1
        return path

    def terms(self) -> tuple[Word, ...]:
        """The terms as ``list`` and ``buy`` take them."""
        return (
            self.seller,
            self.token,
            self.stake,
            int(self.settlement),
            self.delivery_time,
            self.dispute_time,
        )

    def args(self) -> tuple[tuple[Word, ...], bytes]:
        """The listing as all other calls take it."""
        return (self.terms(), self.root)

    def id(self, chain_id: int, contract: str) -> bytes:
        """The listing's id at the contract."""
        head = LISTING_TYPE + word(chain_id) + word(contract)
        return keccak(head + keccak(_encode(self.terms())) + self.root)

    def offer(self, index: int) -> tuple[Word, ...]:
        """The level at `index` as ``buy`` takes it."""
        return self.levels[index].offer(self.task)

    def goods(self, index: int) -> tuple[Word, ...]:
        """What is sold at a level, as deliveries and proofs take it."""
        return self.levels[index].goods(self.task)

    def domain(self, chain_id: int, contract: str, level: int) -> FileDomain:
        """The domain of a level's cleaner."""
        return cleaner_domain(chain_id, contract, self.seller, self.task, level)

    @property
    def asked(self) -> dict[str, float]:
        """What the terms ask of their seller, by the names that its owner's limits use.

        Amounts are in the smallest unit, times in seconds. A stake is locked from a purchase until
        the sale is settled, however cheap the level.
        """
        return {
            "stake": self.stake,
            "cheapest price": self.levels[0].price,
            "delivery time": self.delivery_time,
            "time locked": self.delivery_time + self.dispute_time,
        }

    def hold(self, paid: int) -> int:
        """What a sale holds of the seller's funds."""
        return self.stake + (paid if self.settlement is Settlement.OPEN else 0)


@dataclass(frozen=True)
class Sale:
    """One purchase; fields as in ``ICleanerSale.sol``."""

    price: int
    credit: int
    goods: bytes
    one_time_key: int = 0
    delivery: bytes = bytes(32)

    @classmethod
    def of(cls, listing: Listing, level: int, credit: int = 0, one_time_key: int = 0) -> Sale:
        """The purchase of a level by who owns one of price ``credit``, or none."""
        sold = listing.levels[level]
        return cls(sold.price, credit, sold.goods_hash(listing.task), one_time_key)

    def delivered(self, ephemeral_x: int, sealed_key: bytes) -> Sale:
        """This sale once a key was delivered sealed."""
        return replace(self, delivery=keccak(word(ephemeral_x) + word(sealed_key)))

    @property
    def paid(self) -> int:
        """What the buyer paid: the price less its credit, in the token's smallest unit."""
        return self.price - self.credit

    def args(self) -> tuple[Word, ...]:
        """The struct as a call takes it."""
        return (self.price, self.credit, self.goods, self.one_time_key, self.delivery)

    def digest(self) -> bytes:
        """What the contract keeps of it, 24 bytes."""
        return keccak(_encode(self.args()))[:CONTENT_BYTES]


def due(sales: Sequence[tuple[str, Sale]]) -> list[tuple[str, tuple[Word, ...]]]:
    """Buyers and their sales as ``settle`` takes them."""
    return [(buyer, sale.args()) for buyer, sale in sales]


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All levels of a tree as OpenZeppelin's MerkleProof takes it, leaves first, root last."""
    rows = [list(leaves)]
    while len(rows[-1]) > 1:
        row = rows[-1]
        pairs = [sorted(row[i : i + 2]) for i in range(0, len(row), 2)]
        rows.append([pair[0] if len(pair) == 1 else keccak(pair[0] + pair[1]) for pair in pairs])
    return rows


def _encode(values: Sequence[Word]) -> bytes:
    return b"".join(word(value) for value in values)
