"""What happens to a shared model, as its contract tells it: the twins of ISharedModel's events.

Class and field names are those of the ABI, in snake case. Addresses are 0x strings, keys 32 bytes,
times Unix seconds, amounts the smallest unit.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ModelCreated:
    """The model was made."""

    classifier: str
    incentive: str
    token: str
    owner: str
    task: bytes


@dataclass(frozen=True)
class DataAdded:
    """The model learnt a contribution; `features` are the words of a bitmap."""

    author: str
    key: bytes
    features: tuple[int, ...]
    label: int
    added_at: int
    deposit: int
    cost: int


@dataclass(frozen=True)
class Announced:
    """A verdict was announced, in place of the contrary one."""

    claimant: str
    key: bytes
    good: bool


@dataclass(frozen=True)
class Objected:
    """The verdict that stood announced no longer stands."""

    objector: str
    key: bytes


@dataclass(frozen=True)
class Upheld:
    """Its author staked on the contribution again."""

    author: str
    key: bytes


@dataclass(frozen=True)
class Refunded:
    """A contribution proved good."""

    author: str
    key: bytes
    amount: int


@dataclass(frozen=True)
class Reported:
    """A contribution was reported as bad."""

    reporter: str
    key: bytes
    amount: int


@dataclass(frozen=True)
class TakenOver:
    """What was left of a contribution was taken over."""

    taker: str
    key: bytes
    amount: int


@dataclass(frozen=True)
class PredictionPaid:
    """A prediction was paid for."""

    payer: str
    label: int
    amount: int


@dataclass(frozen=True)
class Credited:
    """What was paid beyond what a contribution needs was credited."""

    account: str
    amount: int


@dataclass(frozen=True)
class RewardsClaimed:
    """Rewards and credits were paid out."""

    account: str
    amount: int


Event = (
    ModelCreated
    | DataAdded
    | Announced
    | Objected
    | Upheld
    | Refunded
    | Reported
    | TakenOver
    | PredictionPaid
    | Credited
    | RewardsClaimed
)
