"""How alike masked images and their originals look: the paper's MSE and SSIM (section IV.D)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from offchain.data.imageset import ImageSet
from offchain.hide.errors import HideError

_LEAST_SIDE = 7
"""SSIM's window."""


@dataclass(frozen=True)
class Likeness:
    """mse: mean squared error with 1 as full scale, 0 for equals. ssim: at most 1, for equals."""

    mse: float
    ssim: float


def likeness(original: torch.Tensor, changed: torch.Tensor) -> Likeness:
    """Of two images, uint8 (C, H, W), sides of 7 pixels or more."""
    from skimage.metrics import structural_similarity

    if original.shape != changed.shape or min(original.shape[1:]) < _LEAST_SIDE:
        raise HideError(
            f"likeness is of equal shapes with sides of {_LEAST_SIDE} or more, not "
            f"{tuple(original.shape)} and {tuple(changed.shape)}"
        )
    a, b = original.numpy(), changed.numpy()
    mse = float(np.mean((a.astype(np.float64) - b) ** 2)) / 255**2
    ssim = structural_similarity(a, b, data_range=255, channel_axis=0)  # type: ignore[no-untyped-call, unused-ignore]
    return Likeness(mse, float(ssim))


def mean_likeness(original: ImageSet, changed: ImageSet, sample: int = 200) -> Likeness:
    """The mean over at most `sample` images, evenly spaced over the set."""
    chosen = np.linspace(0, len(original) - 1, min(sample, len(original))).astype(int)
    each = [likeness(original.images[i], changed.images[i]) for i in chosen]
    return Likeness(
        float(np.mean([one.mse for one in each])), float(np.mean([one.ssim for one in each]))
    )
