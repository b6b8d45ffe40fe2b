"""Samples of one set that are the same, or nearly so."""

from __future__ import annotations

import numpy as np
import torch
from scipy.sparse import coo_array  # type: ignore[import-untyped, unused-ignore]
from scipy.sparse.csgraph import (  # type: ignore[import-untyped, unused-ignore]
    connected_components,
)

from offchain.mde.feature_space import CHUNK_DISTANCES
from offchain.mde.samples import Integers, Samples


def first_alike(samples: Samples) -> Integers:
    """int64 (N,): for each sample the first that is exactly the same, itself if none is before."""
    hashes = samples.hashes()
    order = {digest: i for i, digest in reversed(list(enumerate(hashes)))}
    return np.array([order[digest] for digest in hashes], dtype=np.int64)


def groups(places: torch.Tensor, labels: torch.Tensor, first: Integers, near: float) -> Integers:
    """Connected components of samples of one label that are near, or the same.

    places: float32 (N, K). first: as `first_alike` gives it. near: a distance. Each group is named
    by its first member, int64 (N,).
    """
    group = first.copy()
    distinct = torch.from_numpy(np.unique(first))
    for c in torch.unique(labels):
        members = distinct[labels[distinct] == c]
        rows = max(1, CHUNK_DISTANCES // len(members))
        for start in range(0, len(members), rows):
            chunk = members[start : start + rows]
            close = torch.cdist(places[chunk], places[members]) <= near
            left, right = close.nonzero(as_tuple=True)
            group = _merged(group, chunk[left].numpy(), members[right].numpy())
    return group


def _merged(group: Integers, left: Integers, right: Integers) -> Integers:
    """Groups, each named by its first member, after joining those of `left` and `right`."""
    count = len(group)
    rows, columns = np.append(np.arange(count), left), np.append(group, right)
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), (count, count))
    part = connected_components(graph, directed=False)[1]
    first = np.unique(part, return_index=True)[1]
    merged: Integers = first[part]
    return merged
