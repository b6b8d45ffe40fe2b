"""How a collector chooses among datasets, and what terms a provider's owner can limit."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from offchain.crypto.settlement import NATIVE
from offchain.hyperx.features import DEFAULT_TOLERANCE
from offchain.hyperx.terms import Terms
from offchain.policy import TermsRefused

MOST_BYTES = 8 << 30
"""Of a dataset, unless the collector says otherwise: all of it lies on its disk."""


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
        most_bytes: largest dataset, as shards, that is sampled; nothing of a larger one is kept.
        false_alarms: how often an honest review's further shards may by chance look worse than its
            sample, and be taken for rubbish; in (0, 1).
        draw_on_chain: let the chain draw the samples instead of choosing them.
        sample_seed: makes the collector's choices repeatable, and foreseeable; for demonstrations.
    """

    least_accuracy: float | None = None
    tolerance: float = DEFAULT_TOLERANCE
    burn_for_rubbish: bool = True
    most_bytes: int = MOST_BYTES
    false_alarms: float = 0.01
    draw_on_chain: bool = False
    sample_seed: int | None = None


def check_token(terms: Terms, accepted: Collection[str]) -> None:
    """Raises TermsRefused unless the terms pay in one of the tokens, 0x addresses in any case.

    A token is whatever its author wrote: a collector's own is worth nothing to anybody else.
    """
    if terms.token.lower() in {token.lower() for token in accepted}:
        return
    told = ", ".join("the native coin" if token == NATIVE else token for token in accepted)
    asked = "the native coin" if terms.token == NATIVE else f"token {terms.token}"
    raise TermsRefused(f"terms refused: they pay in {asked}, accepted: {told or 'nothing'}")


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
