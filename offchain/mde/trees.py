"""Decision trees as plain arrays, so that anyone can walk them and nothing has to be executed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from offchain.mde.errors import ArtefactError
from offchain.mde.samples import Floats

MAX_NODES = 1 << 16
"""Most nodes of one tree."""


@dataclass(frozen=True, eq=False)
class Tree:
    """A binary tree of K nodes, node 0 the root.

    feature: int32 (K,), which value of a sample is compared; -1 at a leaf.
    threshold: float32 (K,): a sample goes left if its value is at most this, else right. For images
        values are whole numbers 0..255 and so are thresholds.
    left, right: int32 (K,), children, larger than their parent; at a leaf `left` is its number in
        0..leaves - 1 and `right` is -1.

    Raises ArtefactError unless all this holds, so that every walk ends.
    """

    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]

    def __post_init__(self) -> None:
        count = len(self.feature)
        shapes = {part.shape for part in (self.feature, self.threshold, self.left, self.right)}
        if shapes != {(count,)} or not 1 <= count <= MAX_NODES:
            raise ArtefactError(f"a tree has 1 to {MAX_NODES} nodes in four rows, not {shapes}")
        inner = self.feature >= 0
        own = np.arange(count)[inner]
        for child in (self.left[inner], self.right[inner]):
            if ((child <= own) | (child >= count)).any():
                raise ArtefactError("a tree's children must come after their parent")
        leaves = np.sort(self.left[~inner])
        if not np.array_equal(leaves, np.arange(len(leaves))):
            raise ArtefactError("a tree's leaves must be numbered from 0, each once")
        if not np.isfinite(self.threshold).all():
            raise ArtefactError("a tree's thresholds must be finite")

    @property
    def leaves(self) -> int:
        """Number of leaves."""
        return int((self.feature < 0).sum())

    @property
    def depth(self) -> int:
        """Comparisons on the longest way from the root to a leaf."""
        level = np.zeros(len(self.feature), dtype=np.int64)
        for node in np.flatnonzero(self.feature >= 0):
            level[self.left[node]] = level[self.right[node]] = level[node] + 1
        return int(level.max())

    def leaf_of(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
        """int64 (N,): the leaf that each row of `values`, float32 (N, D), ends in."""
        node = np.zeros(len(values), dtype=np.int64)
        rows = np.arange(len(values))
        while (inner := self.feature[node] >= 0).any():
            at = node[inner]
            goes_left = values[rows[inner], self.feature[at]] <= self.threshold[at]
            node[inner] = np.where(goes_left, self.left[at], self.right[at])
        return self.left[node].astype(np.int64)

    @classmethod
    def of(cls, fitted: Any, whole: bool) -> Tree:
        """From a fitted scikit-learn tree's `tree_`; whole: round thresholds down to integers.

        float32 values compare with a threshold as with the largest float32 not above it.
        """
        inner = fitted.children_left >= 0
        threshold = np.where(inner, fitted.threshold, 0.0)
        if whole:
            threshold = np.floor(threshold)
        rounded = threshold.astype(np.float32)
        rounded = np.where(
            rounded.astype(np.float64) > threshold,
            np.nextafter(rounded, np.float32(-np.inf)),
            rounded,
        )
        number = np.cumsum(~inner) - 1
        return cls(
            np.where(inner, fitted.feature, -1).astype(np.int32),
            rounded.astype(np.float32),
            np.where(inner, fitted.children_left, number).astype(np.int32),
            np.where(inner, fitted.children_right, -1).astype(np.int32),
        )


def tree_values(inputs: torch.Tensor) -> npt.NDArray[np.float32]:
    """float32 (N, D), what trees compare: features as they are, pixels as whole numbers 0..255."""
    values: npt.NDArray[np.float32] = inputs.flatten(1).to(torch.float32).numpy()
    return values


def leaf_means(leaf: npt.NDArray[np.int64], values: Floats, leaves: int) -> Floats:
    """float64 (leaves, K): mean of the rows of `values` (N, K) in each leaf, 0 if empty."""
    sums = np.zeros((leaves, values.shape[1]))
    np.add.at(sums, leaf, values)
    counts = np.bincount(leaf, minlength=leaves)
    means: Floats = sums / np.maximum(counts, 1)[:, None]
    return means
