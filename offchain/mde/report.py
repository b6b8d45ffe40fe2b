"""What every oracle gives: a score per sample and one for the set, each with its uncertainty.

Sign convention, everywhere: a positive score lowers the model owner's validation loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from offchain.data.imageset import Progress
from offchain.mde.errors import MdeError, NotFinite
from offchain.mde.samples import Bools, Floats, Samples

UNDECIDED = (
    "the score lies within two standard errors of nothing: by another validation set the data "
    "might as well help as harm"
)
"""What is said beside a price whose score's sign is undecided."""


@dataclass(frozen=True, eq=False)
class Findings:
    """What the candidate looks like beside the owner's data; all arrays are (N,).

    group: int64, samples of the candidate in the same group are near-duplicates of one another,
        directly or by a chain; exact duplicates always share one.
    repeated: an exact duplicate of an earlier sample of the candidate.
    redundant: near-duplicate of a sample of the owner's with the same label.
    contradicting: the same with another label, and none with the same.
    mislabelled: suspected: the model is sure of another class (see `offchain.mde.setlevel`).
    out_of_task: farther from the owner's data than nearly all of its own validation data.
    """

    group: npt.NDArray[np.int64]
    repeated: Bools
    redundant: Bools
    contradicting: Bools
    mislabelled: Bools
    out_of_task: Bools

    def counts(self) -> dict[str, int]:
        """How many samples each finding has."""
        names = ("repeated", "redundant", "contradicting", "mislabelled", "out_of_task")
        return {name: int(getattr(self, name).sum()) for name in names}


@dataclass(frozen=True, eq=False)
class EfficacyReport:
    """What candidate data would do for a model, by one method.

    method: its name. unit: what a score of 1 means.
    scores: float64 (N,), each sample by itself, whatever the findings say.
    errors: float64 (N,), standard errors of the scores: how much they would vary over other
        validation sets of the same size, estimated from folds of this one.
    weights: float64 (N,), how much of each score the set's score has in it, 0 to 1; see `compose`.
    total: the set's score, the sum of weights * scores. total_error: its standard error.
    findings: what the weights follow from. diagnostics: figures of the method, such as residuals.
    """

    method: str
    unit: str
    scores: Floats
    errors: Floats
    weights: Floats
    total: float
    total_error: float
    findings: Findings
    diagnostics: dict[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def undecided(self) -> bool:
        """Whether another validation set might as well give the set's score the other sign.

        So it is within two standard errors of 0, of a score of 1e-10 as of one of 0.
        """
        return abs(self.total) <= 2 * self.total_error

    @property
    def contributions(self) -> Floats:
        """float64 (N,): what each sample adds to the total."""
        return self.weights * self.scores


class Efficacy(Protocol):
    """A method prepared for one model and task; values any number of candidates."""

    def report(self, candidate: Samples, progress: Progress | None = None) -> EfficacyReport:
        """The efficacy of `candidate`. Raises FeatureMismatch or UnknownLabel if it does not fit.

        progress: called as (done, total) samples.
        """
        ...


def compose(scores: Floats, findings: Findings) -> Floats:
    """The weights, float64 (N,) of 0 or 1, by which scores add up to the set's score.

    - Redundant samples count nothing: the owner has them.
    - Out-of-task samples count only where they harm.
    - Exact duplicates count once.
    - Of a group of near-duplicates all harm counts, and of the good the least: nothing if any
      sample of the group does harm, or is redundant or out of task.

    So no duplicate, exact or near, ever raises the total: it can only make a group's good smaller
    or its harm larger. The order of the samples does not matter. Samples suspected to be
    mislabelled keep their scores, since the model may be what is wrong; if they are, those scores
    are negative.
    """
    weights = np.zeros(len(scores))
    unpaid = findings.redundant | findings.out_of_task
    harmful = ~findings.redundant & ~findings.repeated & (scores < 0)
    weights[harmful] = 1
    spoilt = np.unique(findings.group[unpaid])
    good = np.flatnonzero(~np.isin(findings.group, spoilt))
    # The least of each group: by group, then by score; scores that tie are worth the same.
    ordered = good[np.lexsort((scores[good], findings.group[good]))]
    _, first = np.unique(findings.group[ordered], return_index=True)
    weights[ordered[first]] = 1
    return weights


def make_report(
    method: str,
    unit: str,
    fold_scores: Floats,
    fold_sizes: Floats,
    findings: Findings,
    diagnostics: dict[str, float],
) -> EfficacyReport:
    """A report from the scores against each fold of the validation set.

    fold_scores: float64 (N, B), the change of the mean loss over fold b.
    fold_sizes: float64 (B,), samples in each fold. A score is the mean weighted by them, and its
    standard error is that of the mean of B independent estimates. Raises NotFinite.
    """
    if not np.isfinite(fold_scores).all():
        row = int(np.argwhere(~np.isfinite(fold_scores))[0, 0])
        raise NotFinite(f"{method}: the score of sample {row} is not finite")
    if fold_scores.shape[1] != len(fold_sizes) or len(fold_sizes) < 2:
        raise MdeError(f"{len(fold_sizes)} folds for scores {fold_scores.shape}")
    share = fold_sizes / fold_sizes.sum()
    scores = fold_scores @ share
    weights = compose(scores, findings)
    total_of_fold = weights @ fold_scores
    # Summed exactly: the total is the same to the last bit in whatever order the samples come.
    total = math.fsum((weights * scores).tolist())
    return EfficacyReport(
        method,
        unit,
        scores,
        _standard_error(fold_scores, share),
        weights,
        total,
        float(_standard_error(total_of_fold[None], share)[0]),
        findings,
        diagnostics,
    )


def _standard_error(values: Floats, share: Floats) -> Floats:
    centred = values - (values @ share)[:, None]
    error: Floats = np.sqrt((centred**2 @ share) / (len(share) - 1))
    return error
