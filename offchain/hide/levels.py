"""Finding the settings of a dial at which a noisy, rising response reaches the levels asked for.

One curve serves all levels: every point that is measured for one narrows the search for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import numpy as np

from offchain.hide.errors import LevelError

MAX_LEVELS = 32


@dataclass(frozen=True)
class Found:
    """What the search found for one level.

    wanted: the level asked for. dial: where its response comes closest, in [0, 1]. reached: the
    response there. within: whether that is within the tolerance. why: empty, or one line that says
    why not.
    """

    wanted: float
    dial: float
    reached: float
    within: bool
    why: str = ""

    def __str__(self) -> str:
        return f"{self.wanted:g}: {self.why or f'{self.reached:.3f}'}"


@dataclass
class Curve:
    """A response measured once per setting of the dial.

    measure: from a dial in [0, 1] to a response that rises with it but for noise.
    """

    measure: Callable[[float], float]
    points: dict[float, float] = field(default_factory=dict)

    def at(self, dial: float) -> float:
        """The response at `dial`, measured only the first time."""
        if dial not in self.points:
            self.points[dial] = self.measure(dial)
        return self.points[dial]

    def between(self, level: float, halve: bool) -> tuple[float, float]:
        """The next dial to measure for `level`, and the width of the bracket it lies in.

        The bracket is of neighbouring measured dials between which the rising fit crosses `level`.
        halve: its middle; otherwise where the fit crosses, but not in its outer tenths.
        """
        from sklearn.isotonic import IsotonicRegression

        dials = sorted(self.points)
        fit = IsotonicRegression().fit_transform(dials, [self.points[d] for d in dials])
        above = int(np.clip(np.searchsorted(fit, level), 1, len(dials) - 1))
        left, right = dials[above - 1], dials[above]
        low, high = float(fit[above - 1]), float(fit[above])
        share = 0.5 if halve or high <= low else (level - low) / (high - low)
        return left + float(np.clip(share, 0.1, 0.9)) * (right - left), right - left

    def around(self, level: float) -> tuple[float, float]:
        """The highest response measured below `level` and the lowest above it."""
        values = self.points.values()
        return (
            max((r for r in values if r <= level), default=min(values)),
            min((r for r in values if r >= level), default=max(values)),
        )


def check_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """`levels` ascending. Raises LevelError for none, too many, one outside (0, 1), or equals."""
    if not 1 <= len(levels) <= MAX_LEVELS:
        raise LevelError(f"a family has 1 to {MAX_LEVELS} levels, not {len(levels)}")
    for level in levels:
        if not 0 < level < 1:
            raise LevelError(f"a level is an accuracy above 0 and below 1, not {level:g}")
    if len(set(levels)) != len(levels):
        raise LevelError(f"each level is asked for once, not {', '.join(map(str, levels))}")
    return tuple(sorted(levels))


def find_levels(
    curve: Curve,
    levels: Sequence[float],
    tolerance: float,
    resolution: float = 0.01,
    progress: Callable[[Found], None] | None = None,
) -> list[Found]:
    """For each of `levels`, ascending, a dial at which the response is within `tolerance` of it.

    Measures both ends, then the levels from the middle of the list outwards, since a point in the
    middle serves most of them. For each, by turns, it measures where the curve should cross the
    level and the middle of the bracket around it, until a point is within tolerance or the bracket
    no wider than `resolution`: then the response jumps over the level, or its noise exceeds the
    tolerance, and the level is
    reported with the closest point there is. So are levels beyond the ends. No two levels share a
    point, and none has the end at 0, which needs no cleaner. progress: called with each level as
    it is found. Raises LevelError as `check_levels` does, and for a tolerance or resolution
    outside (0, 1).
    """
    wanted = check_levels(levels)
    if not 0 < tolerance < 1 or not 0 < resolution < 1:
        raise LevelError(
            f"tolerance and resolution lie above 0 and below 1, not {tolerance:g}, {resolution:g}"
        )
    low, high = curve.at(0.0), curve.at(1.0)
    for level in _middle_out(wanted):
        if low - tolerance <= level <= high + tolerance:
            _narrow(curve, level, 0.0, tolerance, resolution)
    found: list[Found] = []
    for level in wanted:
        after = max((one.dial for one in found if one.within), default=0.0)
        if level > high + tolerance:
            why = f"above the {high:.3f} that clean data reaches"
        elif level < low - tolerance:
            why = f"below the {low:.3f} that fully masked data reaches"
        elif after >= 1:
            why = "the level below it has all images already"
        else:
            why = _narrow(curve, level, after, tolerance, resolution)
        dial, reached = _closest(curve, level, after)
        found.append(Found(level, dial, reached, not why, why))
        if progress is not None:
            progress(found[-1])
    return found


def _middle_out(levels: Sequence[float]) -> list[float]:
    """The middle one, then the middles of both halves, and so on."""
    if not levels:
        return []
    middle = len(levels) // 2
    halves = _middle_out(levels[:middle]), _middle_out(levels[middle + 1 :])
    turns = zip_longest(*halves)
    return [levels[middle], *(one for turn in turns for one in turn if one is not None)]


def _narrow(curve: Curve, level: float, after: float, tolerance: float, resolution: float) -> str:
    """Measures until a point beyond `after` is within tolerance. Says why if none can be found."""
    halve = False
    while abs(_closest(curve, level, after)[1] - level) > tolerance:
        dial, width = curve.between(level, halve)
        if width <= resolution:
            under, over = curve.around(level)
            return f"the accuracy jumps from {under:.3f} to {over:.3f} there"
        curve.at(dial)
        halve = not halve
    return ""


def _closest(curve: Curve, level: float, after: float) -> tuple[float, float]:
    """The measured point beyond the dial `after` whose response is closest to `level`."""
    points = [
        (dial, reached) for dial, reached in curve.points.items() if dial > after or dial == 1
    ]
    return min(points, key=lambda point: (abs(point[1] - level), point[0]))
