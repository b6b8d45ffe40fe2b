"""The paper's evaluation head, trained for all providers at once (section 3.2, Table 2).

Dense(hidden) - ReLU - Dropout - Dense(classes), cross-entropy, Adam, as in Keras: Glorot-uniform
weights, zero biases, epsilon 1e-7. Table 2 names no activation; ReLU is ours.

The heads are stacked, so that one step of all is two batched products and one fused Adam update.
The maths is that of training each alone: every provider walks through its own samples, its last
mini-batch of an epoch may be shorter, and it leaves the batch when its own epochs are over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from torch.optim.adam import adam

from offchain.data.imageset import Progress
from offchain.hyperx.quality import (
    LabelledInputs,
    QualityScore,
    check_samples,
    epoch_orders,
    measure,
    torch_generator,
)

_EPSILON = 1e-7
_BETAS = (0.9, 0.999)

_LIMIT = 10.0
"""Standardised features are limited to this magnitude. A channel that hardly varies on the
validation set would else let a few odd values, honest or not, drown all other channels."""

_GROUP_BYTES = {"cpu": 32 << 20, "cuda": 4 << 30}
"""Heads trained together are as many as keep weights, moments and gradients within this: about a
CPU's last cache, beyond which larger groups are slower again; a part of a GPU's memory."""


@dataclass(frozen=True)
class HeadSettings:
    """A head and its training.

    hidden: width of the hidden layer. dropout: share of it zeroed in training, 0 <= share < 1.
    learning_rate: Adam's. batch: samples a step. epochs: passes over a provider's samples.
    Raises ValueError naming the setting out of range.
    """

    hidden: int
    dropout: float
    learning_rate: float
    batch: int
    epochs: int

    def __post_init__(self) -> None:
        for name in ("hidden", "batch", "epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, not {self.dropout}")
        if not 0 < self.learning_rate <= 1:
            raise ValueError(f"learning_rate must be above 0, at most 1, not {self.learning_rate}")

    def steps(self, samples: int) -> int:
        """Optimiser steps of a provider of that many samples."""
        return self.epochs * math.ceil(samples / self.batch)

    def group_size(self, width: int, class_count: int, device: torch.device) -> int:
        """How many heads on `width` features are trained together on `device`."""
        values = (width + 1 + class_count) * self.hidden + class_count
        return max(1, _GROUP_BYTES[device.type] // (4 * 4 * values))


PRESETS = {
    "fast": HeadSettings(hidden=128, dropout=0.5, learning_rate=2e-4, batch=32, epochs=20),
    "few": HeadSettings(hidden=128, dropout=0.5, learning_rate=1e-3, batch=32, epochs=40),
    "paper-mnist": HeadSettings(hidden=128, dropout=0.5, learning_rate=1e-5, batch=8, epochs=50),
    "paper-cifar10": HeadSettings(hidden=512, dropout=0.0, learning_rate=1e-5, batch=32, epochs=50),
    "paper-mura": HeadSettings(hidden=512, dropout=0.0, learning_rate=1e-5, batch=8, epochs=100),
}
"""Table 2's three columns; `fast`: a quarter of the time of paper-mnist, better fitted to small
samples. It chooses as well within the spread over seeds, save among images with removed pixels
(benchmarks/head_selection.md). Much higher rates choose worse: they fit what is particular to a
provider's sample, bad labels included. `few` is for few features, of which `fast` learns little in
its time."""
FEW = 1024
"""Features below which `few` is the default, and `fast` from there on."""


def default_settings(width: int) -> HeadSettings:
    """A head for `width` features of a sample."""
    return PRESETS["few" if width < FEW else "fast"]


@dataclass(frozen=True)
class HeadScorer:
    """Scores features float32 (N, D): extracted, decoded and activated (Equation 3).

    Features are standardised with the validation set's mean and deviation, never a provider's
    own, which would hide that its images are off. Channels that are constant on the validation
    set tell nothing there and are left out.
    """

    settings: HeadSettings | None = None
    name: str = "HyperX"

    def score(
        self,
        providers: Sequence[LabelledInputs],
        validation: LabelledInputs,
        class_count: int,
        *,
        seed: int,
        device: torch.device | str = "cpu",
        progress: Progress | None = None,
    ) -> list[QualityScore]:
        """Scores as `Scorer` says; `progress` counts steps, each of a group of providers."""
        check_samples(providers, validation, torch.float32, class_count)
        target = torch.device(device)
        settings = self.settings or default_settings(validation[0].shape[1])
        scale = Standardisation.of(validation[0].to(target))
        inputs, labels = scale.apply(validation[0].to(target)), validation[1].to(target)

        # Neighbours in length share a group, so that few heads wait for a long one.
        by_length = sorted(range(len(providers)), key=lambda i: -len(providers[i][1]))
        size = settings.group_size(inputs.shape[1], class_count, target)
        groups = [by_length[i : i + size] for i in range(0, len(by_length), size)]
        steps = [settings.steps(len(providers[group[0]][1])) for group in groups]
        scores: dict[int, QualityScore] = {}
        for g, group in enumerate(groups):
            heads = train_heads(
                [(scale.apply(providers[i][0].to(target)), providers[i][1]) for i in group],
                class_count,
                settings,
                seed,
                None if progress is None else _shifted(progress, sum(steps[:g]), sum(steps)),
            )
            for i, head in zip(group, heads, strict=True):
                scores[i] = measure(head.predict(inputs), labels, class_count)
        return [scores[i] for i in range(len(providers))]


@dataclass(frozen=True, eq=False)
class Head:
    """Parameters of one head, float32: w1 (D, H), b1 (H,), w2 (H, C), b2 (C,)."""

    w1: torch.Tensor
    b1: torch.Tensor
    w2: torch.Tensor
    b2: torch.Tensor

    @classmethod
    def initial(cls, width: int, hidden: int, class_count: int, seed: int) -> Head:
        """What the training of every head starts from, drawn on the CPU."""
        rng = torch_generator(seed, "head")
        w1 = nn.init.xavier_uniform_(torch.empty(width, hidden), generator=rng)
        w2 = nn.init.xavier_uniform_(torch.empty(hidden, class_count), generator=rng)
        return cls(w1, torch.zeros(hidden), w2, torch.zeros(class_count))

    def predict(self, features: torch.Tensor) -> torch.Tensor:
        """Classes int64 (N,) of standardised features float32 (N, D) on the same device."""
        logits = functional.relu(features @ self.w1 + self.b1) @ self.w2 + self.b2
        return logits.argmax(dim=1)


def train_heads(
    providers: Sequence[LabelledInputs],
    class_count: int,
    settings: HeadSettings,
    seed: int,
    progress: Progress | None = None,
) -> list[Head]:
    """One head per provider, in their order, trained together.

    providers: at least one; standardised features float32 (N, D), all on the device to train on,
        and labels int64 (N,). They are trusted: `check_samples` comes first.
    progress: called as (done, total) in optimiser steps.
    """
    # Longest first: those still in training are then always a leading slice.
    order = sorted(range(len(providers)), key=lambda i: -len(providers[i][1]))
    features = torch.cat([providers[i][0] for i in order])
    device = features.device
    labels = torch.cat([providers[i][1].to(device) for i in order])
    sizes = [len(providers[i][1]) for i in order]
    index, weight = (part.to(device) for part in _schedule(sizes, settings, seed))
    lengths = [settings.steps(size) for size in sizes]

    initial = Head.initial(features.shape[1], settings.hidden, class_count, seed)
    start = (initial.w1, initial.b1, initial.w2, initial.b2)
    heads = [torch.stack([p.to(device)] * len(order)) for p in start]
    means = [torch.zeros_like(p) for p in heads]
    squares = [torch.zeros_like(p) for p in heads]
    counts = [torch.zeros((), device=device) for _ in heads]
    masks = torch_generator(seed, "dropout")
    active = len(order)
    for step in range(lengths[0]):
        while lengths[active - 1] <= step:
            active -= 1
        chosen, share = index[step, :active], weight[step, :active].flatten()
        batch = features[chosen.flatten()].view(*chosen.shape, -1)
        current = [p[:active].requires_grad_() for p in heads]
        logits = _forward(current, batch, settings.dropout, masks).flatten(0, 1)
        losses = functional.cross_entropy(logits, labels[chosen.flatten()], reduction="none")
        # A sum over providers: no gradient flows from one to another.
        gradients = torch.autograd.grad((losses * share).sum(), current)
        adam(
            [p.detach() for p in current],
            list(gradients),
            [m[:active] for m in means],
            [s[:active] for s in squares],
            [],
            counts,
            fused=True,
            amsgrad=False,
            beta1=_BETAS[0],
            beta2=_BETAS[1],
            lr=settings.learning_rate,
            weight_decay=0.0,
            eps=_EPSILON,
            maximize=False,
        )
        if progress is not None:
            progress(step + 1, lengths[0])
    places = {i: k for k, i in enumerate(order)}
    return [Head(*(p[places[i]] for p in heads)) for i in range(len(providers))]


def _forward(
    heads: Sequence[torch.Tensor], batch: torch.Tensor, dropout: float, masks: torch.Generator
) -> torch.Tensor:
    """Logits (P, batch, C) of the features (P, batch, D)."""
    w1, b1, w2, b2 = heads
    hidden = functional.relu(torch.baddbmm(b1.unsqueeze(1), batch, w1))
    if dropout > 0:
        # One mask for all providers: nobody is luckier, and company changes nothing.
        mask = torch.rand(hidden.shape[1:], generator=masks) >= dropout
        hidden = hidden * (mask.to(hidden.device) / (1 - dropout))
    return torch.baddbmm(b2.unsqueeze(1), hidden, w2)


def _schedule(
    sizes: Sequence[int], settings: HeadSettings, seed: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Row of the joined features, int64, and weight in the loss, both (steps, P, batch).

    Weights are one over the length of the provider's mini-batch; places that it does not fill
    weigh 0.
    """
    batch = settings.batch
    index = torch.zeros((settings.steps(max(sizes)), len(sizes), batch), dtype=torch.int64)
    weight = torch.zeros(index.shape)
    start = 0
    for p, size in enumerate(sizes):
        padding, steps = -size % batch, settings.steps(size)
        rows = functional.pad(epoch_orders(seed, size, settings.epochs) + start, (0, padding))
        real = functional.pad(torch.ones(size), (0, padding)).view(-1, batch)
        index[:steps, p] = rows.view(-1, batch)
        weight[:steps, p] = (real / real.sum(1, keepdim=True)).repeat(settings.epochs, 1)
        start += size
    return index, weight


@dataclass(frozen=True)
class Standardisation:
    """Mean and reciprocal deviation of the validation features, float32 (D,) each."""

    mean: torch.Tensor
    scale: torch.Tensor

    @classmethod
    def of(cls, validation: torch.Tensor) -> Standardisation:
        """From features float32 (V, D); channels constant up to rounding get scale 0."""
        variance, mean = torch.var_mean(validation, dim=0, correction=0)
        deviation = variance.sqrt()
        varies = deviation > 1e-6 * (mean.abs() + 1e-6)
        return cls(mean, torch.where(varies, 1 / deviation, 0.0))

    def apply(self, features: torch.Tensor) -> torch.Tensor:
        """Standardised features, limited in magnitude to _LIMIT, of the same shape."""
        # Before scaling, since the product of a huge value and a scale may not be finite.
        reach = torch.where(self.scale > 0, _LIMIT / self.scale, 0.0)
        return (features - self.mean).clamp(-reach, reach) * self.scale


def _shifted(progress: Progress, before: int, total: int) -> Progress:
    return lambda done, _: progress(before + done, total)
