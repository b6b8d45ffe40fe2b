"""Small models in a large one's place: distilled, pruned or quantised (paper section 5.1.3).

Hinton, Vinyals and Dean, 2015; Han, Mao and Dally, 2015.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from offchain.data.imageset import Progress
from offchain.data.seeds import generator
from offchain.mde.blackbox import black_box
from offchain.mde.errors import MdeError, NotDifferentiable
from offchain.mde.samples import Task, as_floats


@dataclass(frozen=True)
class Distilled:
    """A student trained to say what the model says of the owner's training data.

    hidden: widths of its hidden layers, none for a linear student; ReLU between. temperature: of
    both sides (Hinton et al.), which spreads what the model is sure of. steps: of Adam at `rate`,
    on mini-batches of 128.
    """

    hidden: tuple[int, ...] = (32,)
    temperature: float = 2.0
    steps: int = 600
    rate: float = 3e-3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.steps < 1 or any(width < 1 for width in self.hidden):
            raise MdeError(f"steps and widths must be 1 or more: {self.steps}, {self.hidden}")
        for name in ("temperature", "rate"):
            if not 0 < getattr(self, name) < math.inf:
                raise MdeError(f"{name} must be above 0 and finite, not {getattr(self, name):g}")

    def student(self, model: Any, task: Task, progress: Progress | None = None) -> nn.Module:
        """A dense network on the flattened input; `model` is any that `black_box` takes."""
        said = torch.from_numpy(black_box(model, task)(task.train.inputs)).float()
        soft = (said.clamp(min=1e-6).log() / self.temperature).softmax(1)
        rng = torch.Generator().manual_seed(
            int(generator(self.seed, "mde distilled").integers(2**62))
        )
        student = dense_network(math.prod(task.train.shape), self.hidden, task.classes, rng)
        optimiser = torch.optim.Adam(student.parameters(), lr=self.rate)
        for step in range(self.steps):
            rows = torch.randint(len(said), (min(128, len(said)),), generator=rng)
            outputs = student(as_floats(task.train.inputs[rows])) / self.temperature
            loss = functional.cross_entropy(outputs, soft[rows]) * self.temperature**2
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            if progress is not None:
                progress(step + 1, self.steps)
        return student.requires_grad_(False)


@dataclass(frozen=True)
class Pruned:
    """The model with the smallest of its weights set to zero: this share of them, 0 to 1."""

    share: float = 0.8

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise MdeError(f"the share pruned must be 0 or more and below 1, not {self.share:g}")

    def student(self, model: Any, task: Task, progress: Progress | None = None) -> nn.Module:
        """A copy; biases stay. Zeroed weights are free to move when the student is retrained."""
        student = _copied(model, "pruning")
        weights = [p for p in student.parameters() if p.dim() > 1]
        count = int(self.share * sum(p.numel() for p in weights))
        if count:
            sizes = torch.cat([p.abs().flatten() for p in weights])
            bound = sizes.kthvalue(count).values
            for weight in weights:
                weight[weight.abs() <= bound] = 0
        return student


@dataclass(frozen=True)
class Quantised:
    """The model with its weights rounded to 2^bits - 1 steps about zero, per output."""

    bits: int = 8

    def __post_init__(self) -> None:
        if not 2 <= self.bits <= 16:
            raise MdeError(f"bits must lie in 2..16, not {self.bits}")

    def student(self, model: Any, task: Task, progress: Progress | None = None) -> nn.Module:
        """A copy that computes in floating point with rounded weights; biases stay."""
        student = _copied(model, "quantisation")
        top = 2 ** (self.bits - 1) - 1
        for weight in student.parameters():
            if weight.dim() > 1:
                scale = weight.abs().flatten(1).amax(1).clamp(min=1e-12) / top
                scale = scale.view(-1, *[1] * (weight.dim() - 1))
                weight.copy_((weight / scale).round().clamp(-top, top) * scale)
        return student


Compression = Distilled | Pruned | Quantised


def dense_network(
    width: int, hidden: tuple[int, ...], classes: int, rng: torch.Generator | None = None
) -> nn.Sequential:
    """A flatten, then dense layers with ReLU between; `rng` draws He-normal weights, else zeros."""
    layers: list[nn.Module] = [nn.Flatten()]
    sizes = [width, *hidden, classes]
    for number, (before, after) in enumerate(pairwise(sizes)):
        dense = nn.Linear(before, after, device="meta").to_empty(device="cpu")
        with torch.no_grad():
            dense.bias.zero_()
            dense.weight.zero_()
            if rng is not None:
                drawn = torch.randn(dense.weight.shape, generator=rng)
                dense.weight.copy_(drawn * math.sqrt(2 / before))
        layers += [nn.ReLU(), dense] if number else [dense]
    return nn.Sequential(*layers)


def _copied(model: Any, what: str) -> nn.Module:
    if not isinstance(model, nn.Module):
        raise NotDifferentiable(
            f"{what} needs a torch module, not {type(model).__name__}: distil a student instead"
        )
    return copy.deepcopy(model).eval().requires_grad_(False)
