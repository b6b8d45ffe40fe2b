"""What a role wants done on chain: one class per call of ITradingSession.

Class names are the calls' names, fields are their arguments in the order of the ABI, nested
structures included, so that an adapter needs no table.
"""

from __future__ import annotations

from dataclasses import dataclass

WORD_ZERO = bytes(32)


@dataclass(frozen=True)
class Register:
    """Join with a dataset; the adapter adds the deposit."""

    key_root: bytes
    address_root: bytes
    manifest: bytes


@dataclass(frozen=True)
class SampleData:
    """Fix a provider's sample: bitmap words."""

    provider: str
    bitmap: tuple[int, ...]


@dataclass(frozen=True)
class RequestDraw:
    """Leave a provider's sample to a secret and to the hash of the next block."""

    provider: str
    commitment: bytes


@dataclass(frozen=True)
class DrawSample:
    """Complete a draw on chain, once the block after the request is there."""

    provider: str
    secret: bytes


@dataclass(frozen=True)
class SubmitFeatures:
    """Commit the sealed features by the digest in their CID."""

    features: bytes


@dataclass(frozen=True)
class SetCandidate:
    """Ask a provider for a review, sealed to a one-time key."""

    provider: str
    one_time_key: int
    one_time_y: int


@dataclass(frozen=True)
class Review:
    """What a candidate opens; see `Review` in ITradingSession.sol."""

    key_root: bytes
    address_root: bytes
    one_time_key: int
    ephemeral_x: int
    bitmap: tuple[int, ...]
    sealed_keys: tuple[bytes, ...]
    addresses: tuple[bytes, ...]
    proof: tuple[bytes, ...]


@dataclass(frozen=True)
class SubmitReview:
    """Open the sampled shards to the collector."""

    review: Review


@dataclass(frozen=True)
class SetOptimal:
    """Accept the candidate's review and buy its dataset."""

    provider: str


@dataclass(frozen=True)
class RefuseReview:
    """Decline the review and pay the compensation."""

    provider: str


@dataclass(frozen=True)
class DeclareRubbish:
    """Destroy twice the compensation, and as much of the candidate's deposit."""

    provider: str


@dataclass(frozen=True)
class WrongKeyEvidence:
    """That a review gave away another key than the committed one: the struct `WrongKey` of
    ITradingSession.sol, field by field."""

    key_root: bytes
    address_root: bytes
    bitmap: tuple[int, ...]
    ephemeral_x: int
    sealed_keys: tuple[bytes, ...]
    one_time_key: int
    one_time_secret: int
    shared_x: int
    shared_y: int
    shard: int
    leaf: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class ProveWrongKey:
    """Show that a sealed key does not open the committed one."""

    evidence: WrongKeyEvidence


@dataclass(frozen=True)
class ClaimReward:
    """Exchange the dataset for the reward."""

    session_key: bytes
    sample_hash: bytes
    review_hash: bytes
    address_root: bytes
    addresses: tuple[bytes, ...]


@dataclass(frozen=True)
class Delivery:
    """What is delivered sealed; see `Delivery` in ITradingSession.sol."""

    ephemeral_x: int
    sealed_key: bytes
    key_root: bytes
    sample_hash: bytes
    review_hash: bytes
    addresses: tuple[bytes, ...]


@dataclass(frozen=True)
class DeliverKey:
    """Deliver the session key to the collector alone."""

    delivery: Delivery


@dataclass(frozen=True)
class WrongDeliveryEvidence:
    """That the delivered session key does not yield a committed one: the struct `WrongDelivery` of
    ITradingSession.sol, field by field."""

    key_root: bytes
    address_root: bytes
    sample_hash: bytes
    review_x: int
    review_keys_hash: bytes
    ephemeral_x: int
    sealed_key: bytes
    one_time_key: int
    one_time_secret: int
    shared_x: int
    shared_y: int
    shard: int
    leaf: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class ProveWrongDelivery:
    """Show that the delivered session key does not open the commitment."""

    evidence: WrongDeliveryEvidence


@dataclass(frozen=True)
class Close:
    """End the session early, without a deal."""


@dataclass(frozen=True)
class ClaimDeposit:
    """Have what the session owes to the provider paid to the 0x address `to`."""

    to: str


@dataclass(frozen=True)
class ReclaimEscrow:
    """Have what the session owes to the collector paid to the 0x address `to`."""

    to: str


Action = (
    Register
    | SampleData
    | RequestDraw
    | DrawSample
    | SubmitFeatures
    | SetCandidate
    | SubmitReview
    | SetOptimal
    | RefuseReview
    | DeclareRubbish
    | ProveWrongKey
    | ClaimReward
    | DeliverKey
    | ProveWrongDelivery
    | Close
    | ClaimDeposit
    | ReclaimEscrow
)
