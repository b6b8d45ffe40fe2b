"""How the study's numbers are written for people: percent and points, days, never."""

from __future__ import annotations

import math

import numpy as np

from offchain.sum.study.results import DAYS
from offchain.sum.study.statistics import Interval, Values, mean_interval, median_interval


def number(value: float, digits: int = 2) -> str:
    """`0.42`, or `never` for infinity."""
    return "never" if math.isinf(value) else f"{value:,.{digits}f}"


def with_half(values: Values, digits: int = 2) -> str:
    """Mean and half its interval, of shares as per cent: `77.1 ± 0.4`."""
    one = mean_interval(100 * values)
    return f"{one.at:.{digits}f} ± {one.high - one.at:.{digits}f}"


def days(values: Values) -> str:
    """Median, its interval and how many there are: `114 [102, never], 7 of 10`."""
    reached = int(np.isfinite(values).sum())
    if not reached:
        return "never"
    one = median_interval(values)
    return (
        f"{number(one.at, 1)} [{number(one.low, 1)}, {number(one.high, 1)}], {reached} of "
        + str(len(values))
    )


def figure(one: Interval, unit: str, metric: str) -> str:
    """A verdict's figure with its interval."""
    share = unit == "metric" and metric not in DAYS
    scale, digits = (100, 2) if share else (1, 2)
    low, high = number(one.low * scale, digits), number(one.high * scale, digits)
    end = " %" if share else " days" if unit == "metric" else ""
    return f"{number(one.at * scale, digits)}{end} [{low}, {high}]"


def value(at: float) -> str:
    """A parameter's value: `1,000`, `0.5`."""
    return f"{at:,.10g}"
