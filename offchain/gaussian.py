"""How private the Gaussian mechanism is, exactly."""

from __future__ import annotations

import math

from scipy.optimize import brentq  # type: ignore[import-untyped, unused-ignore]
from scipy.special import log_ndtr  # type: ignore[import-untyped, unused-ignore]


def gaussian_delta(ratio: float, times: int, epsilon: float) -> float:
    """The least delta of `times` Gaussian mechanisms at `epsilon`.

    ratio: standard deviation of the noise over the L2 sensitivity, above 0. Exact: so many
    mechanisms in sequence, each of which may depend on the ones before, are as private as a single
    one of ratio / sqrt(times) (Dong, Roth and Su, "Gaussian differential privacy", 2022, corollary
    3.3), for which Balle and Wang ("Improving the Gaussian mechanism", ICML 2018, theorem 8) give
    delta = Phi(m / 2 - epsilon / m) - exp(epsilon) Phi(-m / 2 - epsilon / m), m = 1 / ratio.
    """
    if not (0 < ratio < math.inf and times >= 1 and 0 <= epsilon < math.inf):
        raise ValueError(
            "the ratio must be above 0, the times 1 or more and epsilon 0 or more: "
            f"{ratio:g}, {times}, {epsilon:g}"
        )
    m = math.sqrt(times) / ratio
    first = float(log_ndtr(m / 2 - epsilon / m))
    second = epsilon + float(log_ndtr(-m / 2 - epsilon / m))
    # Of two nearly equal numbers, by logarithms: exp(epsilon) alone overflows.
    return math.exp(first) * -math.expm1(min(0.0, second - first))


def gaussian_epsilon(ratio: float, times: int, delta: float) -> float:
    """The least epsilon of `times` Gaussian mechanisms at `delta`, in (0, 1); see `gaussian_delta`.

    Exact up to 1e-9 of epsilon, or of 1 where epsilon is below 1.
    """
    if not 0 < delta < 1:
        raise ValueError(f"delta must be above 0 and below 1, not {delta:g}")
    if gaussian_delta(ratio, times, 0.0) <= delta:
        return 0.0
    high = 1.0
    while gaussian_delta(ratio, times, high) > delta:
        high *= 2
    found: float = brentq(
        lambda epsilon: gaussian_delta(ratio, times, epsilon) - delta, 0.0, high, xtol=1e-9
    )
    return found
