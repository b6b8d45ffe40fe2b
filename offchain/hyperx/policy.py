"""How a collector chooses among datasets, and what terms a provider's owner can limit."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.hyperx.features import DEFAULT_TOLERANCE
from offchain.hyperx.terms import Terms


@dataclass(frozen=True)
class Policy:
    """What a collector asks of a dataset; its own affair, in no terms.

    Attributes:
        least_accuracy: below it nobody is asked for a review, in [0, 1]; None for what shows that
            anything was learned (`Evaluation.least_accuracy`).
        tolerance: largest difference between submitted and recomputed features, in units of their
            channel's spread.
        burn_for_rubbish: whether a candidate whose opened shards are not what was scored is
            punished, at twice the price of refusing and compensating it.
        false_alarms: how often an honest review's further shards may by chance look worse than its
            sample, and be taken for rubbish; in (0, 1).
        draw_on_chain: let the chain draw the samples instead of choosing them.
        sample_seed: makes the collector's choices repeatable, and foreseeable; for demonstrations.
    """

    least_accuracy: float | None = None
    tolerance: float = DEFAULT_TOLERANCE
    burn_for_rubbish: bool = True
    false_alarms: float = 0.01
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
        "burn": terms.burn,
        "sampled share": terms.sample_limit / terms.shard_count,
        "response time": terms.response_time,
        "time locked": terms.expiry - now,
    }
