"""What a score per sample cannot see: duplicates, what the owner has, wrong labels, other data.

Duplicates and strangers are found by distance in a feature space: the inputs as floats, or what
`embed` makes of them, less the owner's mean, each feature divided by its spread over the owner's
data (by at least half the root mean square of all spreads, so that a feature that hardly varies
does not drown the others), then projected at random to at most `dims` dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import coo_array  # type: ignore[import-untyped, unused-ignore]
from scipy.sparse.csgraph import (  # type: ignore[import-untyped, unused-ignore]
    connected_components,
)

from offchain.data.seeds import generator
from offchain.mde.errors import FeatureMismatch, MdeError, NotFinite
from offchain.mde.report import Findings
from offchain.mde.samples import Bools, Floats, Integers, Samples, Task, as_floats

Embedding = Callable[[torch.Tensor], torch.Tensor]
"""Inputs as in `Samples`, (B, ...), to float32 features (B, E)."""

_CHUNK_DISTANCES = 1 << 23
"""Distances worked on at a time: 32 MB."""

_SAMPLED = 2000
"""Owner's samples whose nearest neighbours give the unit of distance."""


@dataclass(frozen=True)
class SetSettings:
    """When samples count as near, and when as far.

    near: near-duplicates are at most this many times the owner's median distance between nearest
        neighbours apart; 0.01 to 1.
    far: out of the task is what lies farther from the owner's training data than this many times
        the distance that 99 % of its validation data keep within; 1 or more.
    dims: dimensions kept, 1 or more. seed: of the projection.
    """

    near: float = 0.25
    far: float = 1.2
    dims: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.01 <= self.near <= 1:
            raise MdeError(f"near must lie in 0.01..1, not {self.near:g}")
        if not 1 <= self.far < float("inf"):
            raise MdeError(f"far must be 1 or more and finite, not {self.far:g}")
        if self.dims < 1:
            raise MdeError(f"dims must be 1 or more, not {self.dims}")


@dataclass(frozen=True, eq=False)
class SetReference:
    """The owner's data as a place to compare candidates with.

    centre: float32 (E,). projection: float32 (E, K). points: float32 (n, K), the owner's training
    data, and labels: int64 (n,), theirs. near, far: distances, as `SetSettings` has them in units.
    sure: float64 (C,), mean probability that the model gives to class c on the owner's validation
        samples of that class; above 1 where there are none.
    embed: None for the inputs themselves.

    Whoever gets it learns `points`: K random projections of every sample of the owner's.
    """

    centre: torch.Tensor
    projection: torch.Tensor
    points: torch.Tensor
    labels: torch.Tensor
    near: float
    far: float
    sure: Floats
    embed: Embedding | None = None

    @classmethod
    def of(
        cls,
        task: Task,
        validation_proba: Floats,
        settings: SetSettings | None = None,
        embed: Embedding | None = None,
    ) -> SetReference:
        """From the owner's data and what its model says of its validation samples (V, C)."""
        settings = settings or SetSettings()
        own = _embedded(task.train, embed)
        centre, spread = own.mean(0), own.std(0, correction=0)
        floor = 0.5 * spread.square().mean().sqrt()
        if not floor > 0:
            raise MdeError("all training samples are the same: nothing can be compared with them")
        spread = spread.clamp(min=float(floor))
        if own.shape[1] > settings.dims:
            rng = generator(settings.seed, "mde projection")
            directions = rng.standard_normal((own.shape[1], settings.dims), dtype=np.float32)
            projection = torch.from_numpy(directions) / settings.dims**0.5 / spread[:, None]
        else:
            projection = torch.diag(1 / spread)
        points = (own - centre) @ projection
        judged = (_embedded(task.validation, embed) - centre) @ projection
        rows = torch.linspace(0, len(points) - 1, min(len(points), _SAMPLED)).long()
        rows = torch.unique(rows)
        apart = _nearest(points[rows], points, but=rows)
        apart = apart[torch.isfinite(apart) & (apart > 0)]
        if len(apart) == 0:
            raise MdeError("the owner's training data must hold 2 different samples or more")
        labels = task.validation.labels.numpy()
        sure = np.full(task.classes, 2.0)
        for c in np.unique(labels):
            sure[c] = validation_proba[labels == c, c].mean()
        reach = float(torch.quantile(_nearest(judged, points).double(), 0.99))
        return cls(
            centre,
            projection,
            points,
            task.train.labels,
            settings.near * float(apart.median()),
            settings.far * reach,
            sure,
            embed,
        )

    def findings(self, candidate: Samples, proba: Floats) -> Findings:
        """What `candidate` looks like; `proba`, (N, C), is what the owner's model says of it.

        Mislabelled is suspected by confident learning (Northcutt, Jiang and Chuang, 2021): some
        other class is as probable as it is on average where it is right, the label's own class is
        less so.
        """
        embedded = _embedded(candidate, self.embed)
        if embedded.shape[1] != len(self.centre):
            raise FeatureMismatch(
                f"{embedded.shape[1]} features to compare, the owner's have {len(self.centre)}"
            )
        places = (embedded - self.centre) @ self.projection
        distance = _nearest(places, self.points)
        same = torch.zeros(len(candidate), dtype=torch.bool)
        for c in torch.unique(candidate.labels):
            mine, own = candidate.labels == c, self.labels == c
            if bool(own.any()):
                same[mine] = _nearest(places[mine], self.points[own]) <= self.near
        hashes = candidate.hashes()
        order = {digest: i for i, digest in reversed(list(enumerate(hashes)))}
        first = np.array([order[digest] for digest in hashes])
        return Findings(
            group=self._groups(places, candidate.labels, first),
            repeated=first != np.arange(len(first)),
            redundant=same.numpy(),
            contradicting=(~same & (distance <= self.near)).numpy(),
            mislabelled=self._mislabelled(candidate.labels.numpy(), proba),
            out_of_task=(distance > self.far).numpy(),
        )

    def _mislabelled(self, labels: Integers, proba: Floats) -> Bools:
        above = proba >= self.sure
        rows = np.arange(len(labels))
        own = above[rows, labels]
        above[rows, labels] = False
        found: Bools = above.any(axis=1) & ~own
        return found

    def _groups(self, places: torch.Tensor, labels: torch.Tensor, first: Integers) -> Integers:
        """Connected components of samples of one label that are near, or the same."""
        group = first.copy()
        distinct = torch.from_numpy(np.unique(first))
        for c in torch.unique(labels):
            members = distinct[labels[distinct] == c]
            rows = max(1, _CHUNK_DISTANCES // len(members))
            for start in range(0, len(members), rows):
                chunk = members[start : start + rows]
                near = torch.cdist(places[chunk], places[members]) <= self.near
                left, right = near.nonzero(as_tuple=True)
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


def _embedded(samples: Samples, embed: Embedding | None) -> torch.Tensor:
    with torch.no_grad():
        made = as_floats(samples.inputs) if embed is None else embed(samples.inputs).float().cpu()
    if made.shape[0] != len(samples) or not bool(torch.isfinite(made).all()):
        raise NotFinite(f"the embedding of {len(samples)} samples gave {tuple(made.shape)} or NaN")
    return made.reshape(len(samples), -1)


def _nearest(
    places: torch.Tensor, points: torch.Tensor, but: torch.Tensor | None = None
) -> torch.Tensor:
    """Distance from each place (N, K) to the nearest of `points` (n, K).

    but: int64 (N,), for each place the point that is itself.
    """
    distances = []
    rows = max(1, _CHUNK_DISTANCES // len(points))
    for start in range(0, len(places), rows):
        apart = torch.cdist(places[start : start + rows], points)
        if but is not None:
            apart[torch.arange(len(apart)), but[start : start + rows]] = float("inf")
        distances.append(apart.min(dim=1).values)
    return torch.cat(distances)
