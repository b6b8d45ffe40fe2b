"""How a collector chooses among datasets."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.hyperx.features import DEFAULT_TOLERANCE


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
