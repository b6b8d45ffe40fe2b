"""Exact Shapley values of samples for a k-nearest-neighbour classifier, in closed form.

Jia et al., "Efficient task-specific data valuation for nearest neighbor algorithms", VLDB 2019. The
worth of a set S to one judged sample is the share of right labels among the k of S that lie nearest
to it, places that stay empty counting as wrong:

    v(S) = 1/k * (how many of the min(k, |S|) nearest have its label)

With n samples in order of distance, m_i = 1 where sample i has the judged sample's label, and
w_i = min(k, i) / (i k), the paper's recursion sums up to

    s_i = m_i w_i + sum over j > i of m_j (w_j - w_(j-1))

Ties: samples that lie at the same distance are taken in every order equally often. So equal samples
with equal labels have equal values, whatever order they come in. All is done in float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from offchain.errors import SoukError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_VALUES = 1 << 21
"""Distances worked on at a time, a dozen arrays of which are held: 200 MB."""


class ValuationError(SoukError):
    """Samples or settings that give no values."""


@dataclass(frozen=True, eq=False)
class Labelled:
    """features: real (N, D), N and D 1 or more, all finite. labels: integers (N,)."""

    features: torch.Tensor
    labels: torch.Tensor

    def __post_init__(self) -> None:
        if self.features.dim() != 2 or 0 in self.features.shape:
            raise ValuationError(f"features are (N, D), not {tuple(self.features.shape)}")
        if self.labels.shape != self.features.shape[:1]:
            raise ValuationError(
                f"labels are ({len(self.features)},), not {tuple(self.labels.shape)}"
            )
        if not bool(torch.isfinite(self.features).all()):
            raise ValuationError("features must be finite, found NaN or infinity")

    def __len__(self) -> int:
        return len(self.labels)


def knn_shapley(train: Labelled, judged: Labelled, k: int) -> Floats:
    """float64 (N, V): what each of `train` (N) is worth to each of `judged` (V).

    Its mean over V is a sample's KNN-Shapley value. A column sums up to v(train) of the judged
    sample. k: neighbours, 1 or more. Raises ValuationError.
    """
    weights = shapley_weights(len(train), k)
    values = np.empty((len(train), len(judged)))
    for start, squared in _distances(train, judged):
        match = judged.labels[start : start + len(squared), None] == train.labels
        values[:, start : start + len(squared)] = _values(squared, match.numpy(), weights).T
    return values


@dataclass(frozen=True, eq=False)
class Neighbours:
    """A set as the neighbours of judged samples, ready to value further samples one at a time."""

    own: Labelled
    judged: Labelled
    k: int

    def __post_init__(self) -> None:
        shapley_weights(1, self.k)

    def joining(self, further: Labelled) -> Floats:
        """float64 (M, V): what each of `further` is worth if it alone joins the set.

        So it is that sample's value in `knn_shapley` of the set with it; the others of `further`
        change nothing.
        """
        weights = shapley_weights(len(self.own) + 1, self.k)
        values = np.empty((len(further), len(self.judged)))
        # One call, so that a sample's own copy in the set lies at exactly the same distance.
        both = Labelled(
            torch.cat([self.own.features.double(), further.features.double()]),
            torch.cat([self.own.labels, further.labels]),
        )
        n = len(self.own)
        for start, squared in _distances(both, self.judged):
            labels = self.judged.labels[start : start + len(squared), None]
            match = (labels == both.labels).numpy()
            for row in range(len(squared)):
                values[:, start + row] = _joined(
                    squared[row, :n], match[row, :n], squared[row, n:], match[row, n:], weights
                )
        return values


def shapley_weights(count: int, k: int) -> Floats:
    """w_i = min(k, i) / (i k) of i = 1..count. Raises ValuationError unless k is 1 or more."""
    if k < 1:
        raise ValuationError(f"k must be 1 or more, not {k}")
    place = np.arange(1, count + 1, dtype=np.float64)
    weights: Floats = np.minimum(place, k) / (place * k)
    return weights


def _values(squared: Floats, match: npt.NDArray[np.bool_], weights: Floats) -> Floats:
    """Values (V, N) from squared distances (V, N) and who has the right label (V, N).

    Of a run of t ties at places a..b, c of them right, each is as likely at each place, so that its
    value is m mean(w) + (c - m) / (t - 1) (w_b - mean(w)) and what lies behind the run adds, where
    means are over the run's places.
    """
    order = np.argsort(squared, axis=1, kind="stable")
    near = np.take_along_axis(squared, order, axis=1)
    right = np.take_along_axis(match, order, axis=1).astype(np.float64)
    count = near.shape[1]
    begins = np.ones(near.shape, dtype=bool)
    begins[:, 1:] = near[:, 1:] != near[:, :-1]
    rows = np.arange(len(near))[:, None]
    places = np.arange(count)
    first = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
    ends = np.ones(near.shape, dtype=bool)
    ends[:, :-1] = begins[:, 1:]
    backwards = np.where(ends, places, count)[:, ::-1]
    last = np.minimum.accumulate(backwards, axis=1)[:, ::-1]
    length = last - first + 1
    mean = (_summed(weights)[last + 1] - _summed(weights)[first]) / length
    sums = np.concatenate([np.zeros((len(near), 1)), right.cumsum(axis=1)], axis=1)
    others = sums[rows, last + 1] - sums[rows, first] - right
    own = right * mean + others / np.maximum(length - 1, 1) * (weights[last] - mean)
    # Behind: each place of a later run is right with the run's share of right ones.
    share = (others + right) / length
    steps = share * np.diff(weights, prepend=0.0)
    behind = np.concatenate([steps[:, ::-1].cumsum(axis=1)[:, ::-1], np.zeros((len(near), 1))], 1)
    found = np.empty_like(near)
    np.put_along_axis(found, order, own + behind[rows, last + 1], axis=1)
    return found


def _joined(
    own: Floats,
    right: npt.NDArray[np.bool_],
    joining: Floats,
    match: npt.NDArray[np.bool_],
    weights: Floats,
) -> Floats:
    """Values (M,) of samples at squared distances `joining`, each alone beside `own` (n,)."""
    order = np.argsort(own, kind="stable")
    near, hits = own[order], right[order].astype(np.float64)
    first = np.searchsorted(near, joining, side="left")  # of its run, with it in it
    last = np.searchsorted(near, joining, side="right")
    length = last - first + 1
    mean = (_summed(weights)[last + 1] - _summed(weights)[first]) / length
    sums = _summed(hits)
    others = sums[last] - sums[first]
    mine = match * mean + others / np.maximum(length - 1, 1) * (weights[last] - mean)
    # Whoever lies behind is one place farther back than without it. A run behind it counts by its
    # right ones' mean step, so runs are made even first.
    begins = np.concatenate([[True], near[1:] != near[:-1]])
    run = begins.cumsum() - 1
    even = (np.bincount(run, hits) / np.bincount(run))[run]
    steps = even * np.diff(weights)
    behind = np.append(steps[::-1].cumsum()[::-1], 0.0)
    found: Floats = mine + behind[last]
    return found


def _summed(values: Floats) -> Floats:
    """Running totals, with a 0 before them."""
    return np.concatenate([[0.0], np.cumsum(values)])


def _distances(train: Labelled, judged: Labelled) -> Iterator[tuple[int, Floats]]:
    """Squared distances (v, N) of a few judged samples at a time, with the first's number."""
    width = train.features.shape[1]
    if judged.features.shape[1] != width:
        raise ValuationError(
            f"judged samples have {judged.features.shape[1]} features, the others {width}"
        )
    # Exact copies are measured once: then no rounding puts one before the other.
    whole = np.ascontiguousarray(train.features.double().numpy() + 0.0)
    _, chosen, place = np.unique(
        whole.view(np.dtype((np.void, whole.dtype.itemsize * width))).ravel(),
        return_index=True,
        return_inverse=True,
    )
    points = torch.from_numpy(whole[chosen])
    # Around one of them, so that the product below loses little, and nothing of whole numbers.
    points, asked = points - points[0], judged.features.double() - points[0]
    rows = max(1, _VALUES // len(train))
    for start in range(0, len(judged), rows):
        part = asked[start : start + rows]
        squared = part.square().sum(1)[:, None] + points.square().sum(1) - 2 * part @ points.T
        yield start, squared.numpy()[:, place.ravel()]
