"""The dial: which images a level frees of their masks, told by a seed and a count per class.

Of several dials the share of masked images turns smoothly; a mask's amplitude and the share of its
pixels do nothing, then everything (`python -m benchmarks.hide_dial`). Level k frees slices 1 to k.
Every slice wears masks of its own. Those that a buyer can compute from what it bought tell nothing
of those that other images still wear only if they are made apart, see `MaskSettings`; made together
they are alike. Whoever crawls the published data finds masked images alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from offchain.hide.errors import HideError

SEED_BYTES = 16

ORDERS = ("images", "classes")
"""What a level frees more of: images of every class, or one class after the other."""

_TAG = b"souk.hide.slice.v1"


@dataclass(frozen=True, eq=False)
class Slices:
    """Disjoint sets of images, the first freed by every level, the last by the best level alone.

    seeds: one of SEED_BYTES bytes for each slice. counts: int64 (K, Z), how many images of each
    class a slice has, of those that no slice before it has.
    """

    seeds: tuple[bytes, ...]
    counts: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.counts.ndim != 2 or len(self.seeds) != len(self.counts):
            raise HideError(f"{len(self.seeds)} seeds do not fit counts {self.counts.shape}")
        if any(len(seed) != SEED_BYTES for seed in self.seeds):
            raise HideError(f"the seed of a slice has {SEED_BYTES} bytes")
        if self.counts.size and int(self.counts.min()) < 0:
            raise HideError(f"a slice cannot have {int(self.counts.min())} images of a class")

    def __len__(self) -> int:
        return len(self.seeds)

    def first(self, count: int) -> Slices:
        """The first `count` slices: all that a buyer of level `count` may know."""
        return Slices(self.seeds[:count], self.counts[:count])

    def members(self, labels: torch.Tensor) -> torch.Tensor:
        """int64 (N,): the slice of each image, 0..K-1, and K for those in none.

        Slice j has, of each class, the counted number of images with the lowest draws under its
        seed. Draws come from SHAKE-256, so that any machine at any time finds the same.
        Raises HideError when a class has fewer images left than a slice wants.
        """
        of = labels.numpy()
        found = np.full(len(of), len(self), dtype=np.int64)
        for j, (seed, wanted) in enumerate(zip(self.seeds, self.counts, strict=True)):
            draws = _draws(seed, len(of))
            left = np.flatnonzero(found == len(self))
            order = left[np.lexsort((draws[left], of[left]))]  # by class, then by draw
            sizes = np.bincount(of[order], minlength=len(wanted))
            if len(sizes) != len(wanted) or bool((wanted > sizes).any()):
                raise HideError(f"slice {j} wants {wanted.tolist()} of {sizes.tolist()} images")
            place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
            found[order[place < wanted[of[order]]]] = j
        return torch.from_numpy(found)


def cumulative_counts(
    class_sizes: npt.NDArray[np.int64], free: Sequence[int], order: str
) -> npt.NDArray[np.int64]:
    """int64 (K, Z): the images of each class among the first `free[k]` of all, in this `order`.

    Non-decreasing in k for every class, and row k sums to `free[k]`. By "images" classes take
    turns in fair proportion; by "classes" one is emptied after the other, the last one first.
    """
    classes = np.repeat(np.arange(len(class_sizes)), class_sizes)
    if order == "images":
        # Image r of a class of n stands at (r + 1/2) / n of the way; sorted, they take turns.
        ranks = np.concatenate([(np.arange(n) + 0.5) / n for n in class_sizes])
        turn = classes[np.argsort(ranks, kind="stable")]
    else:
        turn = classes[::-1]
    return np.stack([np.bincount(turn[:n], minlength=len(class_sizes)) for n in free])


def free_images(dial: float, images: int, order: str) -> int:
    """How many of `images` are free of masks at `dial` in [0, 1], in this `order`.

    By "images" accuracy follows the logarithm of the number of clean images, by "classes" the
    number itself; the dial does as accuracy does, so that equal turns change it by like amounts.
    """
    if order == "images":
        return round(float((images + 1) ** dial) - 1)
    return round(dial * images)


def _draws(seed: bytes, count: int) -> npt.NDArray[np.uint64]:
    stream = hashlib.shake_256(_TAG + seed).digest(8 * count)
    return np.frombuffer(stream, dtype="<u8")
