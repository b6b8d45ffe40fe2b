"""What anybody may do to masked data for nothing, and the accuracy it regains.

The paper does not test this. A level is worth the gap above the best of these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import torch
from torch.nn import functional
from torchvision.transforms.v2 import functional as pictures  # type: ignore[import-untyped, unused-ignore]

from offchain.data.imageset import ImageSet, Progress
from offchain.data.pixels import to_channels
from offchain.hide.errors import HideError
from offchain.hide.inference import averaged_away
from offchain.hide.networks import factory
from offchain.hide.training import Augment, Batch, TrainingSettings, train

JPEG_QUALITY = 10
"""As in "image shortcut squeezing" (Liu et al., 2023), which found it to work best."""

_PAD = 4
_ATTACK_STEPS = 3


def flipped_and_shifted(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Standard augmentation: mirrored at random, shifted by up to 4 pixels with black borders."""
    x, random = batch.pixels, batch.random
    count, _, height, width = x.shape
    mirror = torch.rand(count, 1, 1, 1, generator=random, device=x.device) < 0.5
    x = functional.pad(torch.where(mirror, x.flip(3), x), [_PAD] * 4)
    shift = torch.randint(2 * _PAD + 1, (2, count, 1), generator=random, device=x.device)
    down = shift[0] + torch.arange(height, device=x.device)  # (B, H)
    right = shift[1] + torch.arange(width, device=x.device)  # (B, W)
    each = torch.arange(count, device=x.device).view(-1, 1, 1)
    # Channels last, so that one index picks a whole pixel.
    moved = x.permute(0, 2, 3, 1)[each, down.unsqueeze(2), right.unsqueeze(1)]
    return moved.permute(0, 3, 1, 2), batch.labels


def cut_out(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Cutout: a square of half the side, anywhere, is set to mid-grey."""
    x, random = batch.pixels, batch.random
    count, _, height, width = x.shape
    centre = torch.rand(2, count, 1, generator=random, device=x.device)
    rows = (torch.arange(height, device=x.device) - centre[0] * height).abs() < height / 4
    columns = (torch.arange(width, device=x.device) - centre[1] * width).abs() < width / 4
    hole = rows.unsqueeze(2) & columns.unsqueeze(1)  # (B, H, W)
    return x.masked_fill(hole.unsqueeze(1), 127.5), batch.labels


def mixed_up(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Mixup with uniform weights: images and labels are averaged with those of another."""
    x, y, random = batch.pixels, batch.labels, batch.random
    classes = int(batch.model(batch.standard(x[:2])).shape[1])
    weight = torch.rand(len(x), 1, generator=random, device=x.device)
    other = torch.randperm(len(x), generator=random, device=x.device)
    hot = functional.one_hot(y, classes).to(x.dtype)
    mixed = weight.view(-1, 1, 1, 1)
    return mixed * x + (1 - mixed) * x[other], weight * hot + (1 - weight) * hot[other]


@dataclass(frozen=True)
class Adversarial:
    """Adversarial training: each image is moved up the loss inside a ball of `radius` (1/255)."""

    radius: float

    def __call__(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Augment`."""
        x, y = batch.pixels, batch.labels
        moved = x.clone()
        for _ in range(_ATTACK_STEPS):
            moved.requires_grad_()
            loss = functional.cross_entropy(batch.model(batch.standard(moved)), y)
            (gradient,) = torch.autograd.grad(loss, [moved])
            step = moved.detach() + 2 * self.radius / _ATTACK_STEPS * gradient.sign()
            moved = step.clamp(x - self.radius, x + self.radius).clamp(0, 255)
        return moved, y


def compressed(imageset: ImageSet) -> ImageSet:
    """Every image through JPEG at `JPEG_QUALITY`."""
    images = torch.stack([pictures.jpeg(image, JPEG_QUALITY) for image in imageset.images])
    return replace(imageset, images=images)


def greyed(imageset: ImageSet) -> ImageSet:
    """Every image in grey, with as many channels as before."""
    grey = to_channels(imageset.images, 1)
    return replace(imageset, images=to_channels(grey, imageset.shape[0]).contiguous())


@dataclass(frozen=True)
class Countermeasure:
    """One way to train on masked data.

    prepare: changes the training data first. both: whether test data is changed in the same way.
    augment: changes every batch. network: another than the masks were made on.
    """

    name: str
    prepare: Callable[[ImageSet], ImageSet] | None = None
    both: bool = False
    augment: Augment | None = None
    network: str | None = None


def countermeasures(epsilon: int, other_network: str) -> tuple[Countermeasure, ...]:
    """All that are tested; the first is none at all."""
    return (
        Countermeasure("none"),
        Countermeasure("augmentation", augment=flipped_and_shifted),
        Countermeasure("JPEG", compressed, both=True),
        Countermeasure("grey-scale", greyed, both=True),
        Countermeasure("cutout", augment=cut_out),
        Countermeasure("mixup", augment=mixed_up),
        Countermeasure("adversarial training", augment=Adversarial(epsilon / 2)),
        Countermeasure("averaging", lambda masked: averaged_away(masked, epsilon)),
        Countermeasure(f"network {other_network}", network=other_network),
    )


@dataclass(frozen=True)
class Regained:
    """The accuracy on clean test data that a counter-measure reaches on masked data."""

    name: str
    accuracy: float


def regained(
    masked: ImageSet,
    test: ImageSet,
    measures: Iterable[Countermeasure],
    network: str,
    settings: TrainingSettings,
    seed: int,
    *,
    device: torch.device | None = None,
    progress: Progress | None = None,
) -> list[Regained]:
    """What each of `measures` regains. progress: called in counter-measures.

    network: trained unless a counter-measure names another. Raises HideError without `measures`.
    """
    todo = list(measures)
    if not todo:
        raise HideError("name at least one counter-measure")
    rows = []
    for done, one in enumerate(todo, 1):
        data = one.prepare(masked) if one.prepare else masked
        judged = one.prepare(test) if one.prepare and one.both else test
        make = factory(one.network or network, len(masked.classes), masked.shape)
        trained = train(make, data, settings, seed, device=device, augment=one.augment)
        rows.append(Regained(one.name, trained.accuracy(judged)))
        if progress is not None:
            progress(done, len(todo))
    return rows


def best(rows: Iterable[Regained]) -> Regained:
    """The one that regains most: what stands beside every price."""
    return max(rows, key=lambda row: row.accuracy)
