"""EfficientNet-Lite0 (Google, 2020): EfficientNet-B0 without squeeze-and-excitation, with ReLU6.

Written out here, with the parameter names of the package efficientnet-lite-pytorch, so that a
provider can run a published extractor without that package, and so that it can be traced: the
package computes its padding at run time.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import nn
from torch.nn import functional

_STAGES = (
    # repeats, kernel, stride, expansion, output channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_STEM = 32
_EPS = 1e-3

STRIDE = 32
"""Sides of images are multiples of it: then TensorFlow's SAME padding does not hang on the size."""


def _conv(inputs: int, outputs: int, kernel: int, stride: int, groups: int = 1) -> nn.Conv2d:
    padding = kernel // 2 if stride == 1 else 0
    return nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)


def _pad(x: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    # SAME padding of an even side at stride 2 puts the odd pixel to the right and below.
    before = (kernel - 2) // 2
    after = kernel - 2 - before
    return x if stride == 1 else functional.pad(x, (before, after, before, after))


class Block(nn.Module):
    """Inverted residual: expand (1x1), depthwise, project (1x1, no activation), add."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        inner = inputs * expansion
        self.kernel, self.stride, self.expansion = kernel, stride, expansion
        self.skip = stride == 1 and inputs == outputs
        if expansion != 1:
            self._expand_conv = _conv(inputs, inner, 1, 1)
            self._bn0 = nn.BatchNorm2d(inner, eps=_EPS)
        self._depthwise_conv = _conv(inner, inner, kernel, stride, groups=inner)
        self._bn1 = nn.BatchNorm2d(inner, eps=_EPS)
        self._project_conv = _conv(inner, outputs, 1, 1)
        self._bn2 = nn.BatchNorm2d(outputs, eps=_EPS)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        x = inputs
        if self.expansion != 1:
            x = functional.relu6(self._bn0(self._expand_conv(x)))
        x = self._depthwise_conv(_pad(x, self.kernel, self.stride))
        x = self._bn2(self._project_conv(functional.relu6(self._bn1(x))))
        return cast(torch.Tensor, x + inputs if self.skip else x)


class EfficientNetLite0(nn.Module):
    """The whole network: float32 (N, 3, S, S), S a multiple of STRIDE, to logits (N, 1000)."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _conv(3, _STEM, 3, 2)
        self._bn0 = nn.BatchNorm2d(_STEM, eps=_EPS)
        self._blocks = nn.ModuleList()
        channels = _STEM
        for repeats, kernel, stride, expansion, outputs in _STAGES:
            for i in range(repeats):
                self._blocks.append(
                    Block(channels, outputs, kernel, stride if i == 0 else 1, expansion)
                )
                channels = outputs
        self._conv_head = _conv(channels, 1280, 1, 1)
        self._bn1 = nn.BatchNorm2d(1280, eps=_EPS)
        self._fc = nn.Linear(1280, 1000)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits of the 1,000 ImageNet classes."""
        x = functional.relu6(self._bn0(self._conv_stem(_pad(images, 3, 2))))
        for block in self._blocks:
            x = block(x)
        x = functional.relu6(self._bn1(self._conv_head(x)))
        return cast(torch.Tensor, self._fc(x.mean((2, 3))))
