"""Differential privacy of every single image that a participant trains on: DP-SGD.

Abadi et al., "Deep learning with differential privacy", CCS 2016. In each step every image of a
participant takes part with the same probability, independently of all others (Poisson sampling,
which is what the accountant assumes); the gradient of each is clipped; Gaussian noise is added to
the sum. Whatever follows, which parameters are uploaded included, costs no further privacy.

Not covered are how many images a participant holds and its validation images, on which its
evaluations rest. A whole participant is protected by `privacy.UpdatePrivacy` instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from offchain.data.seeds import generator

if TYPE_CHECKING:  # what is agreed on is read where nobody computes
    import torch

_GRADIENTS = 2**26
"""Numbers in the gradients of single images held at a time, which bounds the memory they take."""

Loss = Callable[["torch.Tensor", "torch.Tensor", "torch.Tensor"], "torch.Tensor"]
"""(model (P,), one image float32 (C, H, W), its label int64 ()) -> its loss, float32 ()."""


@dataclass(frozen=True)
class Sampling:
    """Which images take part in which step of one participant's round.

    samples: how many it holds. batch: how many take part in a step on average; all at most.
    steps: of the round.
    """

    samples: int
    batch: int
    steps: int

    @property
    def expected(self) -> int:
        """Images a step on average, by which the sum of gradients is divided."""
        return min(self.batch, self.samples)

    @property
    def rate(self) -> float:
        """The probability that an image takes part in a step, above 0, at most 1."""
        return self.expected / self.samples

    def chosen(self, seed: int, round_: int, owner: int) -> list[torch.Tensor]:
        """The images of each step, int64 (B,), ascending, on the CPU; B differs and may be 0."""
        import torch

        rng = generator(seed, f"seccl poisson {round_} {owner}")
        taken = rng.random((self.steps, self.samples)) < self.rate
        return [torch.from_numpy(row.nonzero()[0]) for row in taken]

    def noises(self, seed: int, round_: int, owner: int, total: int) -> Iterator[torch.Tensor]:
        """For each step standard normal numbers, float32 (total,), on the CPU."""
        import torch

        rng = generator(seed, f"seccl noise {round_} {owner}")
        for _ in range(self.steps):
            yield torch.from_numpy(rng.standard_normal(total, dtype=np.float32))


@dataclass(frozen=True)
class ImagePrivacy:
    """The Gaussian mechanism on the gradients of single images.

    clip: largest L2 norm of an image's gradient. noise: standard deviation of the noise on each
    parameter of the sum, as a multiple of `clip`. Raises ValueError unless both are above 0 and
    finite.
    """

    clip: float
    noise: float

    def __post_init__(self) -> None:
        for name in ("clip", "noise"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be above 0 and finite, not {getattr(self, name):g}")

    def clipped_sum(
        self,
        loss: Loss,
        model: torch.Tensor,
        images: torch.Tensor,
        labels: torch.Tensor,
        weights: torch.Tensor,
        randomness: str = "error",
    ) -> torch.Tensor:
        """The weighted sum of the images' clipped gradients, float32 (P,).

        images: float32 (B, C, H, W), B 0 or more. labels: int64 (B,). weights: float32 (B,), 0 for
        a place that no image fills. randomness: as `torch.func.vmap` takes it.
        """
        import torch
        from torch.func import grad, vmap

        each = vmap(grad(loss), in_dims=(None, 0, 0), randomness=randomness)
        total = torch.zeros_like(model)
        size = max(1, _GRADIENTS // len(model))
        for first in range(0, len(images), size):
            part = slice(first, first + size)
            gradients = each(model, images[part], labels[part])  # (b, P)
            factors = weights[part] * self.clip / gradients.norm(dim=1).clamp_min(self.clip)
            total = total + factors @ gradients
        return total

    def deviation(self, sampling: Sampling) -> float:
        """Standard deviation of the noise on each parameter of a step's mean gradient."""
        return self.noise * self.clip / sampling.expected
