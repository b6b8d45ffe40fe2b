"""What members agree to call a copy of another's update."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Likeness:
    """From where on an update counts as made of what was posted before; either is enough.

    explained: share of its square, on the parameters it names, that the best combination of all
    that was posted before explains (the adjusted coefficient of determination, about 0).
    overlap: share of the smaller one's parameters that it and a single other name, less what chance
    would give, as a share of the most that can be above chance. Both in (0, 1].
    """

    explained: float = 0.95
    overlap: float = 0.9

    def __post_init__(self) -> None:
        for name in ("explained", "overlap"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be above 0, at most 1, not {getattr(self, name):g}")
