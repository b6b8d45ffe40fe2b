"""Geometry and channels of uint8 image tensors (N, C, H, W), in one place."""

from __future__ import annotations

import torch

_CHUNK = 1024
"""Images resized at a time; bounds the float copy that resizing makes."""


def to_channels(images: torch.Tensor, channels: int) -> torch.Tensor:
    """`images` with 1 or 3 channels: grey is repeated, RGB becomes its ITU-R 601 luma."""
    if images.shape[1] == channels:
        return images
    if channels == 3:
        return images.repeat(1, 3, 1, 1)
    from torchvision.transforms.v2 import functional  # type: ignore[import-untyped, unused-ignore]

    grey: torch.Tensor = functional.rgb_to_grayscale(images, num_output_channels=1)
    return grey


def resize(images: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """`images` at (height, width), bilinear, with anti-aliasing when they shrink."""
    if tuple(images.shape[2:]) == (height, width):
        return images
    from torchvision.transforms.v2 import functional  # type: ignore[import-untyped, unused-ignore]

    return torch.cat(
        [
            functional.resize(images[start : start + _CHUNK], [height, width], antialias=True)
            for start in range(0, len(images), _CHUNK)
        ]
    )
