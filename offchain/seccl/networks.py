"""Models as factories, and the small network used for digits unless another is given."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

ModelFactory = Callable[[], nn.Module]
"""Makes an untrained classifier: float32 (B, C, H, W) in [0, 1] -> logits (B, classes).

It draws its initial weights from torch's default generator, as torch's layers do. A factory that
can be pickled (a class, a function of a module, a `functools.partial` of one) may be trained in
worker processes; any other runs in one process.
"""


class LeNet(nn.Module):
    """LeNet-5 with ReLU and max-pooling: 44,426 parameters for 28x28 grey images, 10 classes.

    The SecCL paper says "CNN" and no more; this one is small, standard and reaches the paper's
    accuracy. Any image of 16 to 256 pixels a side will do.
    """

    def __init__(self, classes: int = 10, shape: tuple[int, int, int] = (1, 28, 28)) -> None:
        """shape: (C, H, W) of an image. Raises ValueError naming what is out of range."""
        super().__init__()
        channels, height, width = shape
        if classes < 2 or channels < 1 or not 16 <= min(height, width) <= max(height, width) <= 256:
            raise ValueError(
                f"LeNet takes 2 classes or more and sides of 16 to 256 pixels, "
                f"not {classes} classes of images {tuple(shape)}"
            )
        self.conv1 = nn.Conv2d(channels, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        pooled = [((side - 4) // 2 - 4) // 2 for side in (height, width)]
        self.dense1 = nn.Linear(16 * pooled[0] * pooled[1], 120)
        self.dense2 = nn.Linear(120, 84)
        self.dense3 = nn.Linear(84, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes) of images (B, C, H, W)."""
        # ReLU and max commute: pooling first quarters the work of the ReLU.
        x = torch.relu(nn.functional.max_pool2d(self.conv1(x), 2))  # (B, 6, 12, 12)
        x = torch.relu(nn.functional.max_pool2d(self.conv2(x), 2))  # (B, 16, 4, 4)
        x = torch.relu(self.dense1(x.flatten(1)))
        logits: torch.Tensor = self.dense3(torch.relu(self.dense2(x)))
        return logits


def default_factory(classes: int, shape: tuple[int, int, int]) -> ModelFactory:
    """LeNet for images of `shape` (C, H, W)."""
    return partial(LeNet, classes, shape)
