"""When a claim of the paper counts as confirmed, as contradicted, or as not seen.

One rule for all: a claim says that some figures lie in a region. Each figure is measured with an
interval of 95 % over seeds. The claim is confirmed if every interval lies wholly within the region,
contradicted if one lies wholly outside, and otherwise not seen.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats  # type: ignore[import-untyped, unused-ignore]

from offchain.sum.study import statistics
from offchain.sum.study.statistics import Interval, Values

CONFIRMED, CONTRADICTED, NOT_SEEN = "confirmed", "contradicted", "not seen"

POINT = 0.01
"""One point of accuracy, within which figures count as the same."""


@dataclass(frozen=True)
class Verdict:
    """The word, and what was measured: figures with intervals, in the test's own unit."""

    word: str
    figures: tuple[Interval, ...]


def rule(figures: Sequence[Interval], low: float, high: float) -> Verdict:
    """Whether the figures lie in the open region from `low` to `high`."""
    if all(low < one.low and one.high < high for one in figures):
        word = CONFIRMED
    elif any(one.high < low or one.low > high for one in figures):
        word = CONTRADICTED
    else:
        word = NOT_SEEN
    return Verdict(word, tuple(figures))


class Test(ABC):
    """What a claim says about one metric over a sweep's points."""

    @abstractmethod
    def judge(self, parameter: Values, values: Values) -> Verdict:
        """parameter: (points,); values: (seeds, points), infinite for never."""

    @abstractmethod
    def unit(self) -> str:
        """What the verdict's figures are: `rank correlation`, `ratio`, `ranks` or `metric`."""


@dataclass(frozen=True)
class Direction(Test):
    """The metric rises (1) or falls (-1) with the parameter.

    Figure: the mean over seeds of Spearman's correlation of the metric with the parameter.
    """

    sign: int

    def judge(self, parameter: Values, values: Values) -> Verdict:
        correlations = statistics.rank_correlations(parameter, values)
        region = (0.0, math.inf) if self.sign > 0 else (-math.inf, 0.0)
        return rule([statistics.mean_interval(correlations)], *region)

    def unit(self) -> str:
        return "rank correlation"


@dataclass(frozen=True)
class NoEffect(Test):
    """The parameter does not matter: all means, up to the value `upto`, are within `bound`.

    Figure: the difference, paired by seed, between the points of the highest and the lowest mean.
    """

    bound: float = POINT
    upto: float = math.inf

    def judge(self, parameter: Values, values: Values) -> Verdict:
        values = values[:, parameter <= self.upto]
        means = values.mean(axis=0)
        paired = values[:, means.argmax()] - values[:, means.argmin()]
        return rule([statistics.mean_interval(paired)], -self.bound, self.bound)

    def unit(self) -> str:
        return "metric"


@dataclass(frozen=True)
class Within(Test):
    """The metric's mean lies between `low` and `high` at each of the points `at` (None: all)."""

    low: float
    high: float
    at: tuple[float, ...] | None = None

    def judge(self, parameter: Values, values: Values) -> Verdict:
        chosen = values if self.at is None else values[:, np.isin(parameter, self.at)]
        return rule([_level(column) for column in chosen.T], self.low, self.high)

    def unit(self) -> str:
        return "metric"


@dataclass(frozen=True)
class Published(Test):
    """The paper's single run at the point `at` (None: the first) could be one of ours.

    The figure is the interval in which a further seed lies. Here the rule is the other way round,
    because the paper's figure is one run: confirmed if the interval meets the paper's number, which
    is rounded by up to `rounding`, and else contradicted.
    """

    number: float
    rounding: float
    at: float | None = None

    def judge(self, parameter: Values, values: Values) -> Verdict:
        column = values[:, 0 if self.at is None else int(np.flatnonzero(parameter == self.at)[0])]
        ours = statistics.further_interval(column)
        meets = ours.low <= self.number + self.rounding and self.number - self.rounding <= ours.high
        return Verdict(CONFIRMED if meets else CONTRADICTED, (ours,))

    def unit(self) -> str:
        return "metric"


@dataclass(frozen=True)
class Lowest(Test):
    """The metric is lowest at the point `at`.

    Figures: by how many ranks, within a seed, each other point lies above; ties share a rank.
    """

    at: float

    def judge(self, parameter: Values, values: Values) -> Verdict:
        ranks = stats.rankdata(values, axis=1)
        here = ranks[:, parameter == self.at]
        others = (ranks - here)[:, parameter != self.at]
        return rule([statistics.mean_interval(column) for column in others.T], 0, math.inf)

    def unit(self) -> str:
        return "ranks"


@dataclass(frozen=True)
class Unstable(Test):
    """The metric varies more between seeds at the points `at` than at the others.

    Figure: the ratio of the deviations, with a bootstrap over seeds.
    """

    at: tuple[float, ...]

    def judge(self, parameter: Values, values: Values) -> Verdict:
        here = np.isin(parameter, self.at)
        return rule([statistics.spread_ratio(values[:, here], values[:, ~here])], 1, math.inf)

    def unit(self) -> str:
        return "ratio"


def _level(column: Values) -> Interval:
    finite = np.isfinite(column).all()
    return (statistics.mean_interval if finite else statistics.median_interval)(column)
