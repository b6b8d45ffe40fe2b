"""What orders, datasets and quotes commit to: the Python twin of ``contracts/mde/DatasetSale``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from eth_hash.auto import keccak

from offchain.crypto import eip712
from offchain.crypto.commitments import word
from offchain.crypto.disputable import FileDomain
from offchain.crypto.settlement import Settlement, Word

ACCOUNT_TYPE = keccak(b"souk.sale.account.v1")
DATASET_TYPE = keccak(b"souk.sale.dataset.v1")
CONTENT_BYTES = 26
PAD_INDEX = 0
"""What the pad of a sealed key is bound to."""

_QUOTE = ("order bytes32", "dataset bytes32", "price uint96", "expiry uint40", "scores bytes32")
_DOMAIN = ("name string", "version string", "chainId uint256", "verifyingContract address")


class DealState(IntEnum):
    """Where a pair stands, as in ``IDatasetSale.sol``."""

    NONE = 0
    QUOTED = 1
    PAID = 2
    DELIVERED = 3
    SETTLED = 4
    LAPSED = 5
    CHEATED = 6
    WITHDRAWN = 7


class Side(IntEnum):
    """Whose money an account holds, as in ``IDatasetSale.sol``."""

    ORDER = 0
    DATASET = 1


@dataclass(frozen=True)
class Place:
    """Which contract on which chain. contract: 0x address."""

    chain_id: int
    contract: str


@dataclass(frozen=True)
class Account:
    """Whose money it is; what ``fund``, ``withdraw`` and ``close`` take."""

    side: Side
    owner: str
    token: str
    content: bytes

    def args(self) -> tuple[Word, ...]:
        """The struct as a call takes it."""
        return (int(self.side), self.owner, self.token, self.content)

    def id(self, place: Place) -> bytes:
        """The account's id, which is that of its order or dataset."""
        return keccak(_encode((ACCOUNT_TYPE, place.chain_id, place.contract, *self.args())))


@dataclass(frozen=True)
class Order:
    """What a buyer asks for; fields as in ``IDatasetSale.sol``, amounts in the smallest unit."""

    buyer: str
    stake: int
    token: str
    delivery_time: int
    dispute_time: int
    features: int
    artefact: bytes
    rule: bytes
    tree: bytes
    depth: int
    value_bytes: int
    settlement: Settlement

    def args(self) -> tuple[Word, ...]:
        """The struct as a call takes it."""
        return (
            self.buyer,
            self.stake,
            self.token,
            self.delivery_time,
            self.dispute_time,
            self.features,
            self.artefact,
            self.rule,
            self.tree,
            self.depth,
            self.value_bytes,
            int(self.settlement),
        )

    @property
    def account(self) -> Account:
        """Its budget."""
        return Account(Side.ORDER, self.buyer, self.token, keccak(_encode(self.args())))


@dataclass(frozen=True)
class Dataset:
    """What a seller offers; fields as in ``IDatasetSale.sol``."""

    seller: str
    token: str
    count: int
    chunk_bytes: int
    chunks: int
    name: bytes
    file: bytes
    key_hash: bytes

    def args(self) -> tuple[Word, ...]:
        """The struct as a call takes it."""
        return (
            self.seller,
            self.token,
            self.count,
            self.chunk_bytes,
            self.chunks,
            self.name,
            self.file,
            self.key_hash,
        )

    @property
    def account(self) -> Account:
        """What answers for its sales."""
        return Account(Side.DATASET, self.seller, self.token, keccak(_encode(self.args())))


def dataset_domain(place: Place, seller: str, name: bytes) -> FileDomain:
    """The domain of the file that ``seller`` calls ``name``, 32 bytes."""
    label = keccak(DATASET_TYPE + word(name))
    return FileDomain(place.chain_id, place.contract, seller, label)


@dataclass(frozen=True)
class Quote:
    """What a dataset fetches.

    Attributes:
        price: in the smallest unit.
        expiry: seconds since 1970.
        scores: root of the scores' running totals, 32 zero bytes where the order has no tree.
    """

    price: int
    expiry: int
    scores: bytes

    def args(self) -> tuple[Word, ...]:
        """The struct as a call takes it."""
        return (self.price, self.expiry, self.scores)

    @property
    def fits(self) -> bool:
        """Whether a call can take it; what a letter says need not."""
        words = 0 <= self.price < 2**96 and 0 <= self.expiry < 2**40
        return words and len(self.scores) == 32


@dataclass(frozen=True)
class Deal:
    """A quote, and what it is about."""

    order: Order
    dataset: Dataset
    quote: Quote

    def args(self) -> tuple[tuple[Word, ...], ...]:
        """The struct as a call takes it."""
        return (self.order.args(), self.dataset.args(), self.quote.args())

    @property
    def pair(self) -> bytes:
        """The id of artefact and file together."""
        order, dataset = self.order, self.dataset
        return keccak(_encode((order.buyer, order.artefact, dataset.seller, dataset.file)))

    def typed_data(self, place: Place) -> dict[str, Any]:
        """What both sign, as ``eth_signTypedData_v4`` takes it."""
        values = (self.order.account.id(place), self.dataset.account.id(place), *self.quote.args())
        return {
            "primaryType": "Quote",
            "types": {"Quote": _fields(_QUOTE), eip712.DOMAIN: _fields(_DOMAIN)},
            "domain": {
                "name": "Souk Dataset Sale",
                "version": "1",
                "chainId": place.chain_id,
                "verifyingContract": place.contract,
            },
            "message": {field.split()[0]: v for field, v in zip(_QUOTE, values, strict=True)},
        }

    def digest(self, place: Place) -> bytes:
        """The 32 bytes that are signed."""
        return eip712.digest(self.typed_data(place))


@dataclass(frozen=True)
class Purchase:
    """What came after the quote; fields as in ``IDatasetSale.sol``."""

    one_time_key: int = 0
    delivery: bytes = bytes(32)

    def delivered(self, ephemeral_x: int, sealed_key: bytes) -> Purchase:
        """The same once a key was delivered sealed."""
        return replace(self, delivery=keccak(word(ephemeral_x) + word(sealed_key)))

    def args(self) -> tuple[Word, ...]:
        """The struct as a call takes it."""
        return (self.one_time_key, self.delivery)


def _fields(fields: Sequence[str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in (f.split() for f in fields)]


def _encode(values: Sequence[Word]) -> bytes:
    return b"".join(word(value) for value in values)
