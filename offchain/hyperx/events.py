"""What happens in a session, as its contract tells it: the twins of ITradingSession's events.

Class and field names are those of the ABI, in snake case, so that an adapter needs no table.
Addresses are 0x strings, words are 32 bytes, times are Unix seconds, amounts the smallest unit.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Registered:
    """A provider joined; `manifest` is the digest in its manifest's CID."""

    provider: str
    key_root: bytes
    address_root: bytes
    manifest: bytes


@dataclass(frozen=True)
class SampleRequested:
    """A secret and the hash of the block after `request_block` will decide a sample."""

    provider: str
    commitment: bytes
    request_block: int


@dataclass(frozen=True)
class Sampled:
    """The provider's sampled set is fixed: bitmap words."""

    provider: str
    bitmap: tuple[int, ...]


@dataclass(frozen=True)
class FeaturesSubmitted:
    """The provider's sealed features lie in the datastore under a CID with this digest."""

    provider: str
    features: bytes


@dataclass(frozen=True)
class CandidateSet:
    """The collector asks for a review, sealed to the one-time key with this x."""

    provider: str
    one_time_key: int
    deadline: int


@dataclass(frozen=True)
class ReviewSubmitted:
    """The candidate opened its samples; `addresses` is empty where these are published."""

    provider: str
    ephemeral_x: int
    sealed_keys: tuple[bytes, ...]
    addresses: tuple[bytes, ...]
    deadline: int


@dataclass(frozen=True)
class ReviewRefused:
    """The candidate is compensated: the collector refused, or let its time pass."""

    provider: str
    compensation: int
    by_collector: bool


@dataclass(frozen=True)
class RubbishDeclared:
    """The collector destroyed `burned` of its own, and as much of the candidate's deposit."""

    provider: str
    burned: int


@dataclass(frozen=True)
class WrongKeyProved:
    """The candidate sealed a key that does not open its commitment and lost its deposit."""

    provider: str
    shard: int
    forfeited: int


@dataclass(frozen=True)
class CandidateSilent:
    """The candidate opened nothing in time and lost the penalty."""

    provider: str
    forfeited: int


@dataclass(frozen=True)
class OptimalSet:
    """The review was accepted; the provider may claim until `deadline`."""

    provider: str
    deadline: int


@dataclass(frozen=True)
class OptimalSilent:
    """The chosen provider neither claimed nor delivered in time and lost its deposit."""

    provider: str
    forfeited: int


@dataclass(frozen=True)
class RewardClaimed:
    """The dataset was exchanged for the reward; `addresses` is empty where these are published."""

    provider: str
    session_key: bytes
    addresses: tuple[bytes, ...]
    paid: int


@dataclass(frozen=True)
class RewardCredited:
    """What a claim should have paid could not be paid; the provider is owed it."""

    provider: str
    owed: int


@dataclass(frozen=True)
class KeyDelivered:
    """The session key was delivered sealed and may be disputed until `deadline`.

    `addresses` is empty where these are published.
    """

    provider: str
    ephemeral_x: int
    sealed_key: bytes
    addresses: tuple[bytes, ...]
    deadline: int


@dataclass(frozen=True)
class WrongDeliveryProved:
    """The delivered session key does not open the commitment; the provider lost its deposit."""

    provider: str
    shard: int
    forfeited: int


@dataclass(frozen=True)
class DeliveryUndisputed:
    """Nobody disputed the delivery in time; the provider is owed `reward` beside its deposit."""

    provider: str
    reward: int


@dataclass(frozen=True)
class SessionClosed:
    """The session closed, with a deal or without."""

    deal: bool


@dataclass(frozen=True)
class DepositClaimed:
    """A provider took out its deposit and whatever it has earned."""

    provider: str
    paid: int


@dataclass(frozen=True)
class EscrowReclaimed:
    """The collector took out what is left of its escrow."""

    paid: int


Event = (
    Registered
    | SampleRequested
    | Sampled
    | FeaturesSubmitted
    | CandidateSet
    | ReviewSubmitted
    | ReviewRefused
    | RubbishDeclared
    | WrongKeyProved
    | CandidateSilent
    | OptimalSet
    | OptimalSilent
    | RewardClaimed
    | RewardCredited
    | KeyDelivered
    | WrongDeliveryProved
    | DeliveryUndisputed
    | SessionClosed
    | DepositClaimed
    | EscrowReclaimed
)
