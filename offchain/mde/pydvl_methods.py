"""pyDVL's valuation methods as oracles, where pyDVL (pip install pydvl) is installed.

Whatever its `fit` and `result` can do: Shapley values by permutations, Banzhaf and Beta values,
leaving one out, least cores. The players are the owner's samples and the candidate's together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from offchain.data.imageset import Progress
from offchain.mde.blackbox import BlackBox, black_box
from offchain.mde.errors import MdeError
from offchain.mde.feature_space import Embedding, embedded
from offchain.mde.influence import fold_sizes
from offchain.mde.report import EfficacyReport, make_report
from offchain.mde.samples import Floats, Samples, Task
from offchain.mde.setlevel import SetReference, SetSettings


@dataclass(frozen=True)
class PydvlSettings:
    """Which of pyDVL's methods, and how.

    valuation: given pyDVL's `Dataset` of the players and that of judged samples, a
        `pydvl.valuation.Valuation` to be fitted on the players. For example:

            lambda players, judged: TMCShapleyValuation(
                ModelUtility(LogisticRegression(), SupervisedScorer("accuracy", judged, 0.0)),
                sampler, is_done)

    unit: what a score of 1 means, for the report.
    folds: parts of the validation set that values are computed against, each by itself, so that
        it takes as many times as long; where a utility is a mean over judged samples, the values'
        mean is the value against all. 2 or more.
    """

    valuation: Callable[[Any, Any], Any]
    unit: str = "pyDVL's utility"
    folds: int = 2
    sets: SetSettings = field(default_factory=SetSettings)


@dataclass(frozen=True, eq=False)
class PydvlEfficacy:
    """Values of candidates by one of pyDVL's methods."""

    ask: BlackBox
    settings: PydvlSettings
    folds: torch.Tensor
    reference: SetReference
    task: Task
    embed: Embedding | None

    def fold_scores(self, candidate: Samples, progress: Progress | None = None) -> Floats:
        """float64 (N, B): the value of each sample by each fold."""
        self.task.check(candidate)
        dataset = dataset_type()
        both = self.task.train.joined(candidate)
        players, judged = self._arrays(both), self._arrays(self.task.validation)
        found = []
        for fold in range(self.settings.folds):
            rows = (self.folds == fold).numpy()
            data = dataset(*players)
            method = self.settings.valuation(data, dataset(*(part[rows] for part in judged)))
            result = method.fit(data).result
            values = np.full(len(both), np.nan)
            values[np.asarray(result.indices)] = np.asarray(result.values)
            found.append(values[len(self.task.train) :])
            if progress is not None:
                progress(fold + 1, self.settings.folds)
        return np.stack(found, axis=1)

    def _arrays(self, samples: Samples) -> tuple[Any, Any]:
        return embedded(samples, self.embed).numpy(), samples.labels.numpy()

    def report(self, candidate: Samples, progress: Progress | None = None) -> EfficacyReport:
        """See `Efficacy.report`; progress counts folds. Raises NotFinite for what got no value."""
        return make_report(
            "pydvl",
            self.settings.unit,
            self.fold_scores(candidate, progress),
            fold_sizes(self.folds),
            self.reference.findings(candidate, self.ask(candidate.inputs)),
            {},
        )


def pydvl_efficacy(
    model: Any,
    task: Task,
    settings: PydvlSettings,
    *,
    embed: Embedding | None = None,
    progress: Progress | None = None,
) -> PydvlEfficacy:
    """One of pyDVL's methods, ready for candidates; each report fits it anew.

    model: any that `black_box` takes, asked for the set-level findings alone; pyDVL's method has a
    model of its own. Raises MdeError where pyDVL is not installed.
    """
    dataset_type()
    ask = black_box(model, task)
    return PydvlEfficacy(
        ask,
        settings,
        task.validation_folds(settings.folds),
        SetReference.of(task, ask(task.validation.inputs), settings.sets, embed),
        task,
        embed,
    )


def dataset_type() -> Any:
    """pyDVL's `Dataset`. Raises MdeError, one line, where it is not there."""
    try:
        from pydvl.valuation import Dataset
    except ImportError as error:
        raise MdeError(f"pyDVL's methods need pyDVL (pip install pydvl): {error}") from error
    return Dataset
