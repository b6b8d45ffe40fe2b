"""What a score per sample cannot see: duplicates, what the owner has, wrong labels, other data.

All are found by distance in the feature space, but wrong labels, which the owner's model suspects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from offchain.mde.duplicates import first_alike, groups
from offchain.mde.errors import FeatureMismatch, MdeError
from offchain.mde.feature_space import Embedding, embedded, nearest, projection_of
from offchain.mde.report import Findings
from offchain.mde.samples import Bools, Floats, Integers, Samples, Task

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
        own = embedded(task.train, embed)
        centre, projection = own.mean(0), projection_of(own, settings.dims, settings.seed)
        points = (own - centre) @ projection
        judged = (embedded(task.validation, embed) - centre) @ projection
        rows = torch.linspace(0, len(points) - 1, min(len(points), _SAMPLED)).long()
        rows = torch.unique(rows)
        apart = nearest(points[rows], points, but=rows)
        apart = apart[torch.isfinite(apart) & (apart > 0)]
        if len(apart) == 0:
            raise MdeError("the owner's training data must hold 2 different samples or more")
        labels = task.validation.labels.numpy()
        sure = np.full(task.classes, 2.0)
        for c in np.unique(labels):
            sure[c] = validation_proba[labels == c, c].mean()
        reach = float(torch.quantile(nearest(judged, points).double(), 0.99))
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
        seen = embedded(candidate, self.embed)
        if seen.shape[1] != len(self.centre):
            raise FeatureMismatch(
                f"{seen.shape[1]} features to compare, the owner's have {len(self.centre)}"
            )
        places = (seen - self.centre) @ self.projection
        distance = nearest(places, self.points)
        same = torch.zeros(len(candidate), dtype=torch.bool)
        for c in torch.unique(candidate.labels):
            mine, own = candidate.labels == c, self.labels == c
            if bool(own.any()):
                same[mine] = nearest(places[mine], self.points[own]) <= self.near
        first = first_alike(candidate)
        return Findings(
            group=groups(places, candidate.labels, first, self.near),
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
