"""Irrelevant images out of the box: crops of photographs that scikit-learn and scikit-image bundle.

They stand in for the paper's second datasets (Fashion-MNIST, flowers, CIFAR-10; section 5.1.4)
where none is at hand.
"""

from __future__ import annotations

import numpy as np
import torch

from offchain.data.imageset import DataError
from offchain.data.pixels import resize, to_channels

_BUNDLED = ("astronaut", "chelsea", "coffee", "rocket")
"""Colour photographs inside scikit-image's own package; its others are fetched from the net."""

_ZOOM = (2, 8)
"""A photograph's short side is 2 to 8 crops long: enough of the scene in each, enough crops."""


def photograph_crops(
    count: int, shape: tuple[int, int, int], rng: np.random.Generator
) -> torch.Tensor:
    """`count` crops, uint8 (count, C, H, W) for `shape` (C, H, W), no window drawn twice.

    The windows are uniform over all positions in six photographs, each scaled so that several
    crops fit along its short side. Raises DataError when there are fewer windows than `count`.
    """
    channels, height, width = shape
    windows = [_windows(photo, channels, height, width) for photo in _photographs()]
    sizes = [view.shape[1] * view.shape[2] for view in windows]
    if count > sum(sizes):
        raise DataError(
            f"{count} crops of {width}x{height} pixels wanted, the bundled photographs hold "
            f"{sum(sizes)}: give a dataset to dope with"
        )
    chosen = rng.permutation(sum(sizes))[:count]
    crops = torch.empty((count, *shape), dtype=torch.uint8)
    start = 0
    for view, size in zip(windows, sizes, strict=True):
        here = np.flatnonzero((chosen >= start) & (chosen < start + size))
        rows, columns = np.divmod(chosen[here] - start, view.shape[2])
        crops[torch.from_numpy(here)] = view[
            :, torch.from_numpy(rows), torch.from_numpy(columns)
        ].transpose(0, 1)
        start += size
    return crops


def _photographs() -> list[torch.Tensor]:
    """Six colour photographs, uint8 (1, 3, H, W), short sides from 300 to 512 pixels."""
    from skimage import data as skimage_data
    from sklearn.datasets import load_sample_images

    arrays = [*load_sample_images().images, *(getattr(skimage_data, n)() for n in _BUNDLED)]
    return [torch.from_numpy(np.array(a)).permute(2, 0, 1).unsqueeze(0) for a in arrays]


def _windows(photo: torch.Tensor, channels: int, height: int, width: int) -> torch.Tensor:
    """All (height, width) windows of the scaled photograph, as a view (C, Y, X, H, W)."""
    short, side = min(photo.shape[2:]), max(height, width)
    scale = min(max(short, _ZOOM[0] * side), _ZOOM[1] * side) / short
    scaled = resize(photo, round(photo.shape[2] * scale), round(photo.shape[3] * scale))
    return to_channels(scaled, channels)[0].unfold(1, height, 1).unfold(2, width, 1)
