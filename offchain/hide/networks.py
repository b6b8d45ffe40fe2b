"""The networks that masks are made on and judged by, as factories for any images and classes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

from offchain.hide.errors import HideError

ModelFactory = Callable[[], nn.Module]
"""Makes an untrained classifier: float32 (B, C, H, W), standardised -> logits (B, classes).

It draws its initial weights from torch's default generator, as torch's layers do.
"""


class _Block(nn.Module):
    """Two 3x3 convolutions around which the input is added; He et al., section 4.2."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.way: nn.Module = nn.Identity()
        if stride != 1 or before != after:
            self.way = nn.Sequential(
                nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after)
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + self.way(x))


class SmallResNet(nn.Module):
    """A CIFAR ResNet of seven layers with weights, small enough for a CPU.

    For 32x32 images: a 3x3 stem of stride 2, then three stages of one block on 16x16, 8x8 and 4x4
    positions with 1, 2 and 4 times `width` channels; 78,042 parameters for RGB and ten classes.
    Full-size CIFAR ResNets keep 32x32 positions in the stem and cost some four times as much.
    """

    def __init__(self, classes: int, channels: int, width: int = 16) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 3, 2, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.stages = nn.Sequential(
            _Block(width, width, 1),
            _Block(width, 2 * width, 2),
            _Block(2 * width, 4 * width, 2),
        )
        self.head = nn.Linear(4 * width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes) of images (B, C, H, W)."""
        x = torch.relu(self.norm(self.stem(x)))
        x = self.stages(x).mean(dim=(2, 3))  # (B, 4 width)
        logits: torch.Tensor = self.head(x)
        return logits


class PlainNet(nn.Module):
    """Three convolutions with pooling, no shortcut around them: an architecture to judge by."""

    def __init__(self, classes: int, channels: int, width: int = 24) -> None:
        super().__init__()
        sizes = [channels, width, 2 * width, 4 * width]
        self.layers = nn.ModuleList(
            nn.Conv2d(before, after, 5 if i == 0 else 3, padding="same", bias=False)
            for i, (before, after) in enumerate(pairwise(sizes))
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(after) for after in sizes[1:])
        self.head = nn.Linear(4 * width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes) of images (B, C, H, W)."""
        for layer, norm in zip(self.layers, self.norms, strict=True):
            # Pooling first quarters the work of what follows.
            x = torch.relu(norm(functional.max_pool2d(layer(x), 2)))
        logits: torch.Tensor = self.head(x.mean(dim=(2, 3)))
        return logits


def cifar_resnet18(classes: int, channels: int) -> nn.Module:
    """torchvision's ResNet-18 with the stem for small images: 3x3, stride 1, no pooling."""
    from torchvision.models import resnet18  # type: ignore[import-untyped, unused-ignore]

    model: nn.Module = resnet18(weights=None, num_classes=classes)
    model.conv1 = nn.Conv2d(channels, 64, 3, 1, 1, bias=False)
    model.maxpool = nn.Identity()
    return model


NETWORKS: dict[str, Callable[[int, int], nn.Module]] = {
    "small-resnet": SmallResNet,
    "resnet18": cifar_resnet18,
    "plain": PlainNet,
}
"""The networks by name, each made from (classes, channels)."""

LEAST_SIDE = 8
"""The shortest side, in pixels, of an image that every network of `NETWORKS` takes."""


def factory(name: str, classes: int, shape: tuple[int, int, int]) -> ModelFactory:
    """The network called `name` for `classes` (2 or more) and images of `shape` (C, H, W).

    Raises HideError for an unknown name, a single class, or a side below `LEAST_SIDE`.
    """
    if name not in NETWORKS:
        raise HideError(f"{name!r} is none of the networks {', '.join(NETWORKS)}")
    if classes < 2:
        raise HideError(f"a classifier needs 2 classes or more, not {classes}")
    if min(shape[1:]) < LEAST_SIDE:
        raise HideError(
            f"images must have {LEAST_SIDE} pixels a side or more, not {shape[2]}x{shape[1]}"
        )
    return partial(NETWORKS[name], classes, shape[0])
