"""The events of ICleanerSale: class and field names are those of the ABI, in snake case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Listed:
    """A seller offers levels; structs are the tuples of their fields."""

    id: bytes
    task: bytes
    terms: tuple[Any, ...]
    levels: tuple[tuple[Any, ...], ...]
    catalogue: bytes
    funds: int


@dataclass(frozen=True)
class Funded:
    """The seller paid in to its funds, of which a wrong key costs it."""

    id: bytes
    amount: int


@dataclass(frozen=True)
class Withdrawn:
    """The seller took out what no sale holds."""

    id: bytes
    amount: int


@dataclass(frozen=True)
class ListingClosed:
    """The seller closed the listing: no more purchases, those that run go on."""

    id: bytes


@dataclass(frozen=True)
class Bought:
    """A buyer paid for a level, and the seller owes it the key."""

    id: bytes
    buyer: str
    level: int
    one_time_key: int


@dataclass(frozen=True)
class KeyPublished:
    """The seller published the key, under open settlement."""

    id: bytes
    buyer: str
    key: bytes
    deadline: int


@dataclass(frozen=True)
class KeySealed:
    """The seller delivered the key sealed to the buyer's one-time key."""

    id: bytes
    buyer: str
    ephemeral_x: int
    sealed_key: bytes
    deadline: int


@dataclass(frozen=True)
class Settled:
    """The buyer owns the level for good."""

    id: bytes
    buyer: str


@dataclass(frozen=True)
class Lapsed:
    """No key came in time, and the buyer may take its money back."""

    id: bytes
    buyer: str


@dataclass(frozen=True)
class WrongKeyProved:
    """The sealed key does not open its commitment."""

    id: bytes
    buyer: str


@dataclass(frozen=True)
class SpoiltChunkProved:
    """A chunk does not decrypt to the committed one."""

    id: bytes
    buyer: str
    chunk: int


@dataclass(frozen=True)
class Refunded:
    """The buyer took its money back, and the stake where a fault was proved."""

    id: bytes
    buyer: str
    amount: int


Event = (
    Listed
    | Funded
    | Withdrawn
    | ListingClosed
    | Bought
    | KeyPublished
    | KeySealed
    | Settled
    | Lapsed
    | WrongKeyProved
    | SpoiltChunkProved
    | Refunded
)
