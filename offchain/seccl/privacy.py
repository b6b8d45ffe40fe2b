"""Differential privacy of what a participant shares, as an option, with its accountant.

Each round a participant clips its whole change to an L2 bound, adds Gaussian noise to every
parameter, and only then picks the largest part: which parameters are largest tells of the data as
much as their values do, and a choice made from noised values costs no further privacy.

Protected is everything a participant holds: updates of two data sets of any difference can hardly
be told apart. That is more than the privacy of single images, and dearer. The evaluations on the
private validation set are not covered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from scipy.optimize import brentq  # type: ignore[import-untyped, unused-ignore]
from scipy.special import log_ndtr  # type: ignore[import-untyped, unused-ignore]

from offchain.data.seeds import generator


@dataclass(frozen=True)
class UpdatePrivacy:
    """The Gaussian mechanism on whole changes.

    clip: largest L2 norm of a change. noise: standard deviation of the noise on each parameter,
    as a multiple of `clip`. Raises ValueError unless both are above 0 and finite.
    """

    clip: float
    noise: float

    def __post_init__(self) -> None:
        for name in ("clip", "noise"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be above 0 and finite, not {getattr(self, name):g}")

    def released(self, changes: torch.Tensor, round_: int, seed: int) -> torch.Tensor:
        """`changes`, float32 (N, P), row i of participant i, clipped and noised.

        Noise from `seed` is for experiments that can be repeated: whoever knows the seed takes the
        noise off again. In the field each participant passes a secret one.
        """
        clipped = torch.stack(
            [row * min(1.0, self.clip / max(float(row.norm()), 1e-30)) for row in changes]
        )
        spread = self.noise * self.clip
        rows = [
            torch.from_numpy(
                generator(seed, f"seccl privacy {round_} {who}").standard_normal(changes.shape[1])
            )
            for who in range(len(changes))
        ]
        return clipped + spread * torch.stack(rows).to(clipped)

    def epsilon(self, rounds: int, delta: float) -> float:
        """The epsilon that so many rounds of one participant cost at `delta`.

        Two clipped changes lie up to 2 `clip` apart, so the mechanism's ratio of noise to
        sensitivity is `noise` / 2.
        """
        return gaussian_epsilon(self.noise / 2, rounds, delta)


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
