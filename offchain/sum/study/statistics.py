"""Intervals of 95 % over seeds. Arrays are float64 (seeds, points); never is infinity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats  # type: ignore[import-untyped, unused-ignore]

Values = npt.NDArray[np.float64]

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate with the bounds of its interval."""

    at: float
    low: float
    high: float


def mean_interval(values: Values) -> Interval:
    """The mean of finite values (seeds,), with Student's t. Needs two or more."""
    mean, half = float(np.mean(values)), _half(values) / np.sqrt(len(values))
    return Interval(mean, mean - half, mean + half)


def further_interval(values: Values) -> Interval:
    """The mean, with the interval in which a further seed's value lies, if values are normal."""
    mean, half = float(np.mean(values)), _half(values) * np.sqrt(1 + 1 / len(values))
    return Interval(mean, mean - half, mean + half)


def median_interval(values: Values) -> Interval:
    """The median of values (seeds,), infinite ones included, with an interval of its order.

    Below six seeds it is from the least to the greatest, and covers less than LEVEL.
    """
    ordered = np.sort(values)
    count = len(ordered)
    cut = max(0, int(stats.binom.ppf((1 - LEVEL) / 2, count, 0.5)) - 1)
    # Between a finite value and infinity there is no middle: the upper one, to be on the safe side.
    low, high = ordered[(count - 1) // 2], ordered[count // 2]
    middle = (low + high) / 2 if np.isfinite(high) else high
    return Interval(float(middle), float(ordered[cut]), float(ordered[count - 1 - cut]))


def rank_correlations(parameter: Values, values: Values) -> Values:
    """Spearman's, of each seed's values (seeds, points) with the parameter (points,): (seeds,).

    0 where a seed's values are all the same.
    """
    x = stats.rankdata(parameter)
    y = stats.rankdata(values, axis=1)
    x = x - x.mean()
    y = y - y.mean(axis=1, keepdims=True)
    scale = np.sqrt((x**2).sum() * (y**2).sum(axis=1))
    return np.divide(y @ x, scale, out=np.zeros(len(y)), where=scale > 0)


def spread_ratio(some: Values, others: Values, draws: int = 2_000) -> Interval:
    """Deviation over seeds at some points by that at others, with a bootstrap over seeds."""

    def deviation(values: Values) -> float:
        return float(np.sqrt(values.var(axis=0, ddof=1).mean()))

    random = np.random.default_rng(0)  # the same table from the same records
    ratios = []
    for _ in range(draws):
        rows = random.integers(len(some), size=len(some))
        below = deviation(others[rows])
        if below:
            ratios.append(deviation(some[rows]) / below)
    low, high = np.quantile(ratios, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(deviation(some) / deviation(others), float(low), float(high))


def _half(values: Values) -> float:
    t = stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)
    return float(t * np.std(values, ddof=1))
