"""Terms of sessions for tests: small, valid defaults, any field overridden."""

from __future__ import annotations

from typing import Any

from eth_hash.auto import keccak

from offchain.crypto.bitmap import BPS
from offchain.crypto.settlement import NATIVE
from tests.kit.units import ETHER

# In the order of the struct TradingTerms of ITradingSession.sol.
FIELDS = (
    "collector",
    "token",
    "reward",
    "deposit",
    "sampleBps",
    "penaltyBps",
    "shardCount",
    "shardSize",
    "furtherReviews",
    "publishedAddresses",
    "settlement",
    "registrationEnd",
    "submissionEnd",
    "expiry",
    "responseTime",
    "task",
    "encryptionKey",
)


def make_terms(now: int, collector: str, /, **overrides: Any) -> tuple[Any, ...]:
    """The struct TradingTerms, its deadlines counted from ``now`` (seconds since 1970).

    Amounts are chosen so that compensation (reward * sampleBps) and penalty are no round numbers
    of each other, and that rounding down shows.
    """
    fields: dict[str, Any] = {
        "collector": collector,
        "token": NATIVE,
        "reward": ETHER + 7,
        "deposit": 3 * ETHER // 5 + 5,
        "sampleBps": 3_000,
        "penaltyBps": 2_500,
        "shardCount": 7,
        "shardSize": 10,
        "furtherReviews": 0,
        "publishedAddresses": False,
        "settlement": 0,
        "registrationEnd": now + 1_000,
        "submissionEnd": now + 2_000,
        "expiry": now + 10_000,
        "responseTime": 600,
        "task": keccak(b"task"),
        "encryptionKey": keccak(b"encryption key"),
    }
    unknown = set(overrides) - set(fields)
    if unknown:
        raise TypeError(f"no such terms: {', '.join(sorted(unknown))}")
    fields |= overrides
    if "deposit" not in overrides:
        # The least that is allowed where more is sampled.
        burn = 2 * (fields["reward"] * fields["sampleBps"] // BPS)
        fields["deposit"] = max(fields["deposit"], burn)
    return tuple(fields[name] for name in FIELDS)
