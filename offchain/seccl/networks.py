"""Models as factories, and the small network used unless another is given."""

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


class SmallCnn(nn.Module):
    """Two convolutions and two dense layers: 46,730 parameters for 28x28 grey images, 10 classes.

    The SecCL paper says "CNN", made with Keras, and no more. Ours has Keras's initial weights
    (Glorot-uniform, zero biases): with torch's own the first rounds learn next to nothing. The
    numbers of channels are multiples of 8, which vectorise when channels come last.
    """

    def __init__(
        self,
        classes: int = 10,
        shape: tuple[int, int, int] = (1, 28, 28),
        mean: float = 0.1307,
        deviation: float = 0.3081,
    ) -> None:
        """shape: (C, H, W) of an image, sides of 16 to 256 pixels.

        mean, deviation: what inputs are standardised by, above 0; MNIST's unless given. They are
        agreed beforehand, since nobody sees everyone's images. Raises ValueError naming what is
        out of range.
        """
        super().__init__()
        channels, height, width = shape
        if classes < 2 or channels < 1 or not 16 <= min(height, width) <= max(height, width) <= 256:
            raise ValueError(
                "SmallCnn takes 2 classes or more and sides of 16 to 256 pixels, "
                f"not {classes} classes of images {tuple(shape)}"
            )
        if not deviation > 0:
            raise ValueError(f"the deviation of inputs must be above 0, not {deviation}")
        self.mean, self.scale = mean, 1 / deviation
        self.conv1 = nn.Conv2d(channels, 16, 5)
        self.conv2 = nn.Conv2d(16, 32, 5)
        pooled = [((side - 4) // 2 - 4) // 2 for side in (height, width)]
        self.dense1 = nn.Linear(32 * pooled[0] * pooled[1], 64)
        self.dense2 = nn.Linear(64, classes)
        for layer in (self.conv1, self.conv2, self.dense1, self.dense2):
            nn.init.xavier_uniform_(layer.weight)
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits (B, classes) of images (B, C, H, W)."""
        x = (x - self.mean) * self.scale
        # ReLU and max commute: pooling first quarters the work of the ReLU.
        x = torch.relu(nn.functional.max_pool2d(self.conv1(x), 2))  # (B, 16, 12, 12)
        x = torch.relu(nn.functional.max_pool2d(self.conv2(x), 2))  # (B, 32, 4, 4)
        logits: torch.Tensor = self.dense2(torch.relu(self.dense1(x.flatten(1))))
        return logits


def default_factory(
    classes: int, shape: tuple[int, int, int], mean: float = 0.1307, deviation: float = 0.3081
) -> ModelFactory:
    """SmallCnn for images of `shape` (C, H, W), standardised by `mean` and `deviation`."""
    return partial(SmallCnn, classes, shape, mean, deviation)
