"""KNN-Shapley as an oracle: what a sample is worth to the k nearest neighbours' vote.

The classifier is the owner's training data itself, in its inputs or in an embedding of its model;
see `offchain.knn_shapley` for values and ties. It needs no gradient and no training.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from offchain.data.imageset import Progress
from offchain.knn_shapley import Labelled, Neighbours, knn_shapley
from offchain.mde.blackbox import BlackBox, black_box
from offchain.mde.errors import MdeError
from offchain.mde.feature_space import Embedding, embedded
from offchain.mde.influence import fold_sizes
from offchain.mde.report import EfficacyReport, make_report
from offchain.mde.samples import Floats, Samples, Task
from offchain.mde.setlevel import SetReference, SetSettings

KNN_UNIT = "right votes of a judged sample's nearest neighbours, a share of 1"


@dataclass(frozen=True)
class NeighbourSettings:
    """k: neighbours that vote, 1 or more.

    together: whether the candidate's samples are players in one game with the owner's, so that
        each is worth less the more like it there are, and a set's score cannot exceed 1; else each
        is valued as if it came alone. folds: of the validation set.
    """

    k: int = 10
    together: bool = False
    folds: int = 8
    sets: SetSettings = field(default_factory=SetSettings)

    def __post_init__(self) -> None:
        if self.k < 1:
            raise MdeError(f"k must be 1 or more, not {self.k}")


@dataclass(frozen=True, eq=False)
class NeighbourEfficacy:
    """Shapley values of candidates among the owner's training data; see `NeighbourSettings`."""

    own: Labelled
    judged: Labelled
    ask: BlackBox
    settings: NeighbourSettings
    folds: torch.Tensor
    reference: SetReference
    task: Task
    embed: Embedding | None

    def fold_scores(self, candidate: Samples) -> Floats:
        """float64 (N, B): the value of each sample to each fold."""
        self.task.check(candidate)
        further, k = labelled(candidate, self.embed), self.settings.k
        if self.settings.together:
            both = Labelled(
                torch.cat([self.own.features, further.features]),
                torch.cat([self.own.labels, further.labels]),
            )
            values = knn_shapley(both, self.judged, k)[len(self.own) :]
        else:
            values = Neighbours(self.own, self.judged, k).joining(further)
        member = torch.nn.functional.one_hot(self.folds).double()
        by_fold: Floats = values @ (member / member.sum(0)).numpy()
        return by_fold

    def report(self, candidate: Samples, progress: Progress | None = None) -> EfficacyReport:
        """See `Efficacy.report`."""
        scores = self.fold_scores(candidate)
        if progress is not None:
            progress(len(candidate), len(candidate))
        return make_report(
            "knn-shapley",
            KNN_UNIT,
            scores,
            fold_sizes(self.folds),
            self.reference.findings(candidate, self.ask(candidate.inputs)),
            {"neighbours": float(self.settings.k), "parameters": 0.0},
        )


def labelled(samples: Samples, embed: Embedding | None = None) -> Labelled:
    """Where neighbours are looked for: the inputs as floats, or what `embed` makes of them."""
    return Labelled(embedded(samples, embed), samples.labels)


def neighbours(
    model: Any,
    task: Task,
    settings: NeighbourSettings | None = None,
    *,
    embed: Embedding | None = None,
    progress: Progress | None = None,
) -> NeighbourEfficacy:
    """KNN-Shapley on the task's data, ready for candidates.

    model: any that `black_box` takes, asked for the set-level findings alone. embed: feature space
    of neighbours and findings.
    """
    settings, ask = settings or NeighbourSettings(), black_box(model, task)
    return NeighbourEfficacy(
        labelled(task.train, embed),
        labelled(task.validation, embed),
        ask,
        settings,
        task.validation_folds(settings.folds),
        SetReference.of(task, ask(task.validation.inputs), settings.sets, embed),
        task,
        embed,
    )
