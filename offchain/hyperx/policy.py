"""How a collector chooses among datasets, and what terms a provider's owner can limit."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.hyperx.features import DEFAULT_TOLERANCE
from offchain.hyperx.terms import Terms


@dataclass(frozen=True)
class Policy:
    """What a collector asks of a dataset; its own affair, in no terms.

    Attributes:
        least_accuracy: below it nobody is asked for a review, in [0, 1].
        tolerance: largest difference between submitted and recomputed features, in units of their
            channel's spread.
        draw_on_chain: let the chain draw the samples instead of choosing them.
        sample_seed: makes the collector's choices repeatable, and foreseeable; for demonstrations.
    """

    least_accuracy: float = 0.0
    tolerance: float = DEFAULT_TOLERANCE
    draw_on_chain: bool = False
    sample_seed: int | None = None


def offered(terms: Terms, now: int) -> dict[str, float]:
    """What `terms` ask of a provider and promise it at `now`, by the names that limits use.

    Amounts are in the smallest unit, times in seconds, the share in [0, 1].
    """
    return {
        "reward": terms.reward,
        "compensation": terms.compensation,
        "deposit": terms.deposit,
        "penalty": terms.penalty,
        "sampled share": terms.sample_limit / terms.shard_count,
        "response time": terms.response_time,
        "time locked": terms.expiry - now,
    }
