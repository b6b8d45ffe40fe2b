"""Data-OOB (Kwon and Zou, "Data-OOB: out-of-bag estimate as a simple and efficient data value",
ICML 2023): how learners that never saw a sample judge its label.

Learners are trained on bootstraps of the owner's and the candidate's samples together. A sample is
judged by those whose bootstrap it is not in:

    score = share of them that give its label - share of them that give another

The paper's value is the first share alone, (score + 1) / 2. Less the second, a score above 0 says
that most learners agree with the label. It tells wrong labels; unlike the other oracles it says
nothing of what the owner's model lacks, so that a sample like those it has scores best.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from offchain.data.imageset import Progress
from offchain.data.seeds import generator
from offchain.mde.blackbox import BlackBox, black_box
from offchain.mde.errors import MdeError
from offchain.mde.feature_space import Embedding, embedded
from offchain.mde.report import EfficacyReport, make_report
from offchain.mde.samples import Floats, Samples, Task
from offchain.mde.setlevel import SetReference, SetSettings

OOB_UNIT = "learners that never saw the sample and agree with its label, less those that do not"


@dataclass(frozen=True)
class OutOfBagSettings:
    """learner: a scikit-learn classifier, a decision tree unless given; it is copied.

    learners: bootstraps, 2 or more; a sample is in all of so many with odds of 0.632^learners.
    folds: parts of the learners from which the scores' errors are estimated, 2 to `learners`.
    """

    learner: Any = None
    learners: int = 200
    seed: int = 0
    folds: int = 8
    sets: SetSettings = field(default_factory=SetSettings)

    def __post_init__(self) -> None:
        if not 2 <= self.folds <= self.learners:
            raise MdeError(f"folds must lie in 2..{self.learners}, the learners: {self.folds}")


@dataclass(frozen=True, eq=False)
class OutOfBagEfficacy:
    """Data-OOB values of candidates in the owner's training data."""

    ask: BlackBox
    settings: OutOfBagSettings
    reference: SetReference
    task: Task
    embed: Embedding | None

    def fold_scores(self, candidate: Samples, progress: Progress | None = None) -> Floats:
        """float64 (N, B): each sample's score by parts of the learners."""
        self.task.check(candidate)
        both = self.task.train.joined(candidate)
        found: Floats = out_of_bag(both, self.settings, self.embed, progress)
        return found[len(self.task.train) :]

    def report(self, candidate: Samples, progress: Progress | None = None) -> EfficacyReport:
        """See `Efficacy.report`; errors are over bootstraps, as no validation set is asked."""
        return make_report(
            "data-oob",
            OOB_UNIT,
            self.fold_scores(candidate, progress),
            np.ones(self.settings.folds),
            self.reference.findings(candidate, self.ask(candidate.inputs)),
            {"learners": float(self.settings.learners)},
        )


def out_of_bag(
    samples: Samples,
    settings: OutOfBagSettings | None = None,
    embed: Embedding | None = None,
    progress: Progress | None = None,
) -> Floats:
    """float64 (N, B): Data-OOB scores of `samples` among themselves, -1 to 1 in the mean over B.

    The mean over the B parts of the learners is the score by all of them. progress: called as
    (done, total) learners. Raises MdeError where a sample is in every bootstrap.
    """
    # It takes seconds to load, and who only reads artefacts needs it not.
    from sklearn.ensemble import BaggingClassifier
    from sklearn.tree import DecisionTreeClassifier

    settings = settings or OutOfBagSettings()
    x, y = embedded(samples, embed).numpy(), samples.labels.numpy()
    learner = DecisionTreeClassifier() if settings.learner is None else settings.learner
    seed = int(generator(settings.seed, "mde out of bag").integers(2**31))
    bagged = BaggingClassifier(learner, settings.learners, random_state=seed).fit(x, y)
    known = np.searchsorted(bagged.classes_, y)  # each learner was given places, not labels
    votes, asked = np.zeros((len(y), settings.folds)), np.zeros((len(y), settings.folds))
    pairs = zip(bagged.estimators_, bagged.estimators_samples_, strict=True)
    for number, (one, drawn) in enumerate(pairs):
        out = np.setdiff1d(np.arange(len(y)), drawn)
        part = number % settings.folds
        asked[out, part] += 1
        if len(out):
            votes[out, part] += np.where(one.predict(x[out]) == known[out], 1, -1)
        if progress is not None:
            progress(number + 1, settings.learners)
    total = asked.sum(1, keepdims=True)
    if not total.all():
        row = int(np.flatnonzero(total[:, 0] == 0)[0])
        raise MdeError(
            f"sample {row} is in every one of {settings.learners} bootstraps: draw more of them"
        )
    score = votes.sum(1, keepdims=True) / total
    # By parts as a ratio varies to first order; their mean is the score, however they were asked.
    scores: Floats = score + settings.folds * (votes - score * asked) / total
    return scores


def out_of_bag_efficacy(
    model: Any,
    task: Task,
    settings: OutOfBagSettings | None = None,
    *,
    embed: Embedding | None = None,
    progress: Progress | None = None,
) -> OutOfBagEfficacy:
    """Data-OOB in the owner's data, ready for candidates; each report trains all learners.

    model: any that `black_box` takes, asked for the set-level findings alone. embed: what the
    learners are trained on.
    """
    settings, ask = settings or OutOfBagSettings(), black_box(model, task)
    reference = SetReference.of(task, ask(task.validation.inputs), settings.sets, embed)
    return OutOfBagEfficacy(ask, settings, reference, task, embed)
