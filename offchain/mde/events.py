"""What happens in a DatasetSale, as the contract tells it: the twins of IDatasetSale's events.

Class and field names are those of the ABI, in snake case, so that an adapter needs no table.
Addresses are 0x strings, words are 32 bytes, times are Unix seconds, amounts the smallest unit.
Structs are the tuples of their fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Posted:
    """A buyer asks for data; `budget` is what it put up to pay with."""

    id: bytes
    buyer: str
    order: tuple[Any, ...]
    budget: int


@dataclass(frozen=True)
class Registered:
    """A seller committed to a dataset; `funds` is what it put up for stakes."""

    id: bytes
    seller: str
    dataset: tuple[Any, ...]
    funds: int


@dataclass(frozen=True)
class Funded:
    """A budget, or a seller's funds, grew."""

    id: bytes
    amount: int


@dataclass(frozen=True)
class Withdrawn:
    """The owner took out what no sale holds."""

    id: bytes
    amount: int


@dataclass(frozen=True)
class Closed:
    """No more quotes and purchases for an order or a dataset."""

    id: bytes


@dataclass(frozen=True)
class Quoted:
    """Both parties signed what the dataset fetches; `order` and `dataset` are ids."""

    pair: bytes
    order: bytes
    dataset: bytes
    quote: tuple[Any, ...]


@dataclass(frozen=True)
class QuoteWithdrawn:
    """A party stands by no quote of the pair any more, recorded or not."""

    pair: bytes
    by: str


@dataclass(frozen=True)
class Purchased:
    """The buyer accepted the quote; the key is due before `deadline`."""

    pair: bytes
    one_time_key: int
    deadline: int


@dataclass(frozen=True)
class KeyPublished:
    """The key is public; faults may be proved before `deadline`."""

    pair: bytes
    key: bytes
    deadline: int


@dataclass(frozen=True)
class KeySealed:
    """The key was delivered to the buyer alone; faults may be proved before `deadline`."""

    pair: bytes
    ephemeral_x: int
    sealed_key: bytes
    deadline: int


@dataclass(frozen=True)
class Settled:
    """The price is the seller's."""

    pair: bytes


@dataclass(frozen=True)
class Lapsed:
    """No key came in time; the price is back in the budget."""

    pair: bytes


@dataclass(frozen=True)
class WrongKeyProved:
    """The sealed key does not open its commitment."""

    pair: bytes


@dataclass(frozen=True)
class SpoiltChunkProved:
    """A chunk does not decrypt to the committed one."""

    pair: bytes
    chunk: int


@dataclass(frozen=True)
class WrongScoreProved:
    """The tree gives a sample another score than the quote does."""

    pair: bytes
    sample: int


@dataclass(frozen=True)
class RepeatedSampleProved:
    """Two samples are the same."""

    pair: bytes
    first: int
    second: int


@dataclass(frozen=True)
class WrongPriceProved:
    """The rule gives the scores' total a lower price, `price`."""

    pair: bytes
    price: int


Proof = (
    WrongKeyProved | SpoiltChunkProved | WrongScoreProved | RepeatedSampleProved | WrongPriceProved
)
"""What takes a seller's stake."""

Event = (
    Posted
    | Registered
    | Funded
    | Withdrawn
    | Closed
    | Quoted
    | QuoteWithdrawn
    | Purchased
    | KeyPublished
    | KeySealed
    | Settled
    | Lapsed
    | Proof
)
