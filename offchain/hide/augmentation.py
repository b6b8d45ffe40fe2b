"""Changes that training makes to its batches, each fixed by the batch's own generator."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional

from offchain.hide.training import Batch

_PAD = 4
_ATTACK_STEPS = 3


def flipped_and_shifted(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Standard augmentation: mirrored at random, shifted by up to 4 pixels with black borders."""
    return flip_and_shift(batch.pixels, batch.random), batch.labels


def flip_and_shift(x: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """The same of pixels (B, C, H, W) alone; gradients pass through it."""
    count, _, height, width = x.shape
    mirror = torch.rand(count, 1, 1, 1, generator=random, device=x.device) < 0.5
    x = functional.pad(torch.where(mirror, x.flip(3), x), [_PAD] * 4)
    shift = torch.randint(2 * _PAD + 1, (2, count, 1), generator=random, device=x.device)
    down = shift[0] + torch.arange(height, device=x.device)  # (B, H)
    right = shift[1] + torch.arange(width, device=x.device)  # (B, W)
    each = torch.arange(count, device=x.device).view(-1, 1, 1)
    # Channels last, so that one index picks a whole pixel.
    moved = x.permute(0, 2, 3, 1)[each, down.unsqueeze(2), right.unsqueeze(1)]
    return moved.permute(0, 3, 1, 2)


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
    weight = torch.rand(len(x), 1, generator=random, device=x.device)
    other = torch.randperm(len(x), generator=random, device=x.device)
    hot = functional.one_hot(y, batch.classes).to(x.dtype)
    mixed = weight.view(-1, 1, 1, 1)
    return mixed * x + (1 - mixed) * x[other], weight * hot + (1 - weight) * hot[other]


@dataclass(frozen=True)
class Adversarial:
    """Adversarial training: each image is moved up the loss inside a ball of `radius` (1/255)."""

    radius: float

    def __call__(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = batch.pixels, batch.labels
        moved = x.clone()
        for _ in range(_ATTACK_STEPS):
            moved.requires_grad_()
            loss = functional.cross_entropy(batch.model(batch.standard(moved)), y)
            (gradient,) = torch.autograd.grad(loss, [moved])
            step = moved.detach() + 2 * self.radius / _ATTACK_STEPS * gradient.sign()
            moved = step.clamp(x - self.radius, x + self.radius).clamp(0, 255)
        return moved, y
