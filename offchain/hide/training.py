"""Training a fresh model on masked data and testing it on clean data, fixed by a seed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from offchain.data.imageset import ImageSet, Progress
from offchain.data.seeds import generator
from offchain.hide.errors import HideError
from offchain.hide.networks import ModelFactory
from offchain.models.device import exact_convolutions
from offchain.runs.spread import single_threaded

_TEST_BATCH = 500
_SMALL_STEP = 100_000
"""Pixels a step, below which a second thread costs as much as it saves, and more beside others."""


@dataclass(frozen=True)
class TrainingSettings:
    """How an evaluation model is trained: SGD with Nesterov momentum, cross-entropy.

    epochs: passes over the data. batch: images a step. learning_rate: the highest, in (0, 10];
    it rises over the first fifth of the steps and falls to zero over the rest. momentum: in
    [0, 1). weight_decay: 0 or more. Raises HideError naming the setting out of range.
    """

    epochs: int = 12
    batch: int = 128
    learning_rate: float = 0.2
    momentum: float = 0.9
    weight_decay: float = 5e-4

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch < 2:
            raise HideError(
                f"training takes 1 epoch or more of batches of 2 or more, not {self.epochs} of "
                f"{self.batch}"
            )
        if not 0 < self.learning_rate <= 10:
            raise HideError(f"learning_rate must be above 0, at most 10, not {self.learning_rate}")
        if not 0 <= self.momentum < 1 or self.weight_decay < 0:
            raise HideError(
                f"momentum must be in [0, 1) and weight_decay 0 or more, not {self.momentum} and "
                f"{self.weight_decay}"
            )


@dataclass(frozen=True)
class Standard:
    """Standardises pixels: (x - mean) / deviation, by the whole training set, per channel."""

    mean: torch.Tensor  # (1, C, 1, 1)
    scale: torch.Tensor  # (1, C, 1, 1)

    @classmethod
    def of(cls, images: torch.Tensor) -> Standard:
        """By the pixels of `images`, uint8 (N, C, H, W)."""
        channels = images.shape[1]
        flat = images.transpose(0, 1).reshape(channels, -1)
        # Counts of 256 values give exact moments without a float copy of the images.
        counts = torch.stack([torch.bincount(row, minlength=256) for row in flat]).double()
        values = torch.arange(256, dtype=torch.float64, device=images.device)
        total = counts.sum(1)
        mean = (counts * values).sum(1) / total
        variance = (counts * values**2).sum(1) / total - mean**2
        scale = variance.clamp_min(1).rsqrt()
        return cls(mean.float().view(1, -1, 1, 1), scale.float().view(1, -1, 1, 1))

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """float32 (B, C, H, W) of pixels in 0..255."""
        return (pixels - self.mean) * self.scale


@dataclass(frozen=True, eq=False)
class Batch:
    """What is about to be learned: float32 pixels (B, C, H, W) in 0..255 and int64 labels (B,).

    classes: how many there are. model: as it is at this step. random: the only source of chance.
    """

    pixels: torch.Tensor
    labels: torch.Tensor
    classes: int
    model: nn.Module
    standard: Standard
    random: torch.Generator


Augment = Callable[[Batch], tuple[torch.Tensor, torch.Tensor]]
"""Gives the pixels to learn from instead, and labels (B,) or probabilities (B, Z)."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A trained model with the standardisation it was trained under."""

    model: nn.Module
    standard: Standard

    def accuracy(self, test: ImageSet) -> float:
        """Share of `test` that is classified right."""
        self.model.eval()
        device = self.standard.mean.device
        right = 0
        with torch.inference_mode(), exact_convolutions():
            for start in range(0, len(test), _TEST_BATCH):
                x = as_pixels(test.images[start : start + _TEST_BATCH].to(device))
                found = self.model(self.standard(x)).argmax(1)
                right += int((found == test.labels[start : start + _TEST_BATCH].to(device)).sum())
        return right / len(test)


def as_pixels(images: torch.Tensor) -> torch.Tensor:
    """float32 in 0..255 of uint8 images, channels last, in which convolutions run fastest."""
    return images.to(torch.float32, memory_format=torch.channels_last)


def fresh(factory: ModelFactory, device: torch.device) -> nn.Module:
    """An untrained model on `device`, ready to train, channels last."""
    model: nn.Module = factory().to(device).to(memory_format=torch.channels_last)
    return model.train()


@contextmanager
def own_randomness(seed: int, purpose: str, device: torch.device) -> Iterator[torch.Generator]:
    """torch's default generators seeded meanwhile, and put back; and one for augmentation."""
    number = int(generator(seed, purpose).integers(2**62))
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(number)
        own = torch.Generator(device)
        own.manual_seed(number)
        yield own


def train(
    factory: ModelFactory,
    data: ImageSet,
    settings: TrainingSettings,
    seed: int,
    *,
    device: torch.device | None = None,
    augment: Augment | None = None,
    progress: Progress | None = None,
) -> Trained:
    """A fresh model trained on `data`, the same for the same arguments on the same device.

    Small steps are computed on one thread, and are the same however many there are.

    augment: changes every batch before the model sees it. progress: called in steps.
    """
    device = device or torch.device("cpu")
    images, labels = data.images.to(device), data.labels.to(device)
    standard = Standard.of(images)
    batch = min(settings.batch, len(data))
    steps = settings.epochs * (len(data) // batch)
    small = device.type == "cpu" and batch * math.prod(data.shape) < _SMALL_STEP
    with (
        own_randomness(seed, "hide training", device) as own,
        exact_convolutions(),
        single_threaded() if small else nullcontext(),
    ):
        model = fresh(factory, device)
        optimiser = torch.optim.SGD(
            model.parameters(),
            settings.learning_rate,
            settings.momentum,
            weight_decay=settings.weight_decay,
            nesterov=settings.momentum > 0,
        )
        for step, chosen in enumerate(batches(len(data), batch, settings.epochs, seed)):
            for group in optimiser.param_groups:
                group["lr"] = settings.learning_rate * _warmth(step, steps)
            chosen = chosen.to(device)
            x, y = as_pixels(images[chosen]), labels[chosen]
            if augment is not None:
                x, y = augment(Batch(x, y, len(data.classes), model, standard, own))
            loss = functional.cross_entropy(model(standard(x)), y)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            if progress is not None:
                progress(step + 1, steps)
    return Trained(model, standard)


def batches(samples: int, batch: int, epochs: int, seed: int) -> Iterator[torch.Tensor]:
    """Shuffled indices, int64 (batch,); what is left of an epoch below a batch is left out.

    Small last batches would spoil the statistics of batch normalisation.
    """
    rng = generator(seed, "hide order")
    for _ in range(epochs):
        order = torch.from_numpy(rng.permutation(samples))
        yield from torch.split(order[: samples // batch * batch], batch)


def _warmth(step: int, steps: int) -> float:
    """The learning rate as a share of the highest: a triangle with its peak at a fifth."""
    peak = max(1, math.ceil(steps / 5))
    return (step + 1) / peak if step < peak else (steps - step) / (steps - peak + 1)
