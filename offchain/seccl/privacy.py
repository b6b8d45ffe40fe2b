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

from offchain.data.seeds import generator
from offchain.gaussian import gaussian_epsilon


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
