"""Influence functions (Koh and Liang, 2017; paper section 5.1.1), with validation loss as utility.

Adding a sample z to the n that a model was trained on moves its parameters by about
-(1/n) H^-1 grad l(z), H the curvature of the training objective; so the mean validation loss falls
by about (1/n) <grad L_val, H^-1 grad l(z)>, which is the score. H^-1 grad L_val is computed once,
for each fold of the validation set; a candidate then costs one gradient a sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch

from offchain.data.imageset import Progress
from offchain.mde.differentiate import differentiate
from offchain.mde.ekfac import Ekfac
from offchain.mde.errors import MdeError
from offchain.mde.feature_space import Embedding
from offchain.mde.gradients import Gradients, data_of
from offchain.mde.losses import probabilities
from offchain.mde.report import EfficacyReport, make_report
from offchain.mde.samples import Floats, Kind, Samples, Task
from offchain.mde.setlevel import SetReference, SetSettings
from offchain.mde.solvers import (
    Arnoldi,
    ConjugateGradients,
    Exact,
    Lissa,
    Solution,
    refuse_singular,
)

Solver = ConjugateGradients | Lissa | Exact | Arnoldi | Ekfac

NATS = "nats of mean validation loss"

_ROWS = 1024
"""Candidate samples prepared at a time."""


@dataclass(frozen=True)
class InfluenceSettings:
    """How influence is computed.

    solver: how H^-1 is applied. layers: of `differentiate`. curvature: the same.
    damping: added to the curvature's diagonal, beside the task's l2; 0 or more. Needed where the
        curvature is singular, as a network's is.
    batch: samples drawn for each step of LiSSA; None for all of them.
    folds: of the validation set, from which uncertainty is estimated; 2 or more.
    """

    solver: Solver = field(default_factory=ConjugateGradients)
    layers: str | tuple[str, ...] = "all"
    curvature: str = "gauss-newton"
    damping: float = 0.0
    batch: int | None = None
    folds: int = 8
    sets: SetSettings = field(default_factory=SetSettings)

    def __post_init__(self) -> None:
        if not 0 <= self.damping < math.inf:
            raise MdeError(f"damping must be 0 or more and finite, not {self.damping:g}")
        if self.batch is not None and (self.batch < 1 or not isinstance(self.solver, Lissa)):
            raise MdeError(f"a batch of {self.batch}: LiSSA takes 1 sample or more, others all")


@dataclass(frozen=True, eq=False)
class GradientEfficacy:
    """Scores that are inner products of samples' gradients with fixed directions.

    directions: float (B, P), one for each fold of the validation set, of `fold_sizes` samples.
    """

    method: str
    unit: str
    model: Gradients
    directions: torch.Tensor
    fold_sizes: Floats
    reference: SetReference
    kind: Kind
    diagnostics: dict[str, float]

    def fold_scores(self, candidate: Samples, progress: Progress | None = None) -> Floats:
        """float64 (N, B): the score of each sample against each fold."""
        found = []
        for start in range(0, len(candidate), _ROWS):
            rows = list(range(start, min(start + _ROWS, len(candidate))))
            inputs, labels = data_of(self.model, candidate.subset(rows))
            found.append(self.model.alignments(self.directions, inputs, labels).double().cpu())
            if progress is not None:
                progress(rows[-1] + 1, len(candidate))
        return torch.cat(found).numpy()

    def proba(self, inputs: torch.Tensor) -> Floats:
        """float64 (N, C): what the model believes."""
        return proba_of(self.model, inputs)

    def report(self, candidate: Samples, progress: Progress | None = None) -> EfficacyReport:
        """See `Efficacy.report`."""
        self.kind.check(candidate)
        return make_report(
            self.method,
            self.unit,
            self.fold_scores(candidate, progress),
            self.fold_sizes,
            self.reference.findings(candidate, self.proba(candidate.inputs)),
            self.diagnostics,
        )


def influence(
    model: object,
    task: Task,
    settings: InfluenceSettings | None = None,
    *,
    embed: Embedding | None = None,
    progress: Progress | None = None,
) -> GradientEfficacy:
    """Influence functions of `model`, which was trained on `task`, ready for candidates.

    model: a torch module; see `differentiate`. embed: feature space of the set-level findings.
    progress: called as (done, total) by the solver. The score's unit is nats of mean validation
    loss, for one sample added to the training data and the model trained anew.

    Raises NotDifferentiable, SingularHessian, NotConverged, TooLarge or another MdeError.
    """
    settings = settings or InfluenceSettings()
    gradients = differentiate(model, task, settings.layers, settings.curvature)
    folds = task.validation_folds(settings.folds)
    _refuse_at_once(gradients, task, settings)
    right = fold_gradients(gradients, task.validation, folds)
    solution = _solve(gradients, task, settings, right, progress)
    return GradientEfficacy(
        f"influence/{type(settings.solver).__name__.lower()}",
        NATS,
        gradients,
        solution.x.div_(len(task.train)),
        fold_sizes(folds),
        SetReference.of(task, proba_of(gradients, task.validation.inputs), settings.sets, embed),
        task.kind,
        {
            **solution.diagnostics(),
            "parameters": float(gradients.size),
            "damping": settings.damping,
            "l2": task.l2,
        },
    )


def _refuse_at_once(gradients: Gradients, task: Task, settings: InfluenceSettings) -> None:
    """What a solver cannot do is said before anything long is begun."""
    if isinstance(settings.solver, Ekfac):
        one = gradients.prepare(task.train.inputs[:1])
        settings.solver.plan(gradients, one, len(task.train), task.l2 + settings.damping)


def _solve(
    gradients: Gradients,
    task: Task,
    settings: InfluenceSettings,
    right: torch.Tensor,
    progress: Progress | None,
) -> Solution:
    inputs, labels = data_of(gradients, task.train)
    ridge = task.l2 + settings.damping

    def products(vectors: torch.Tensor) -> torch.Tensor:
        return gradients.products(vectors, inputs, labels) + ridge * vectors

    if isinstance(settings.solver, Ekfac):
        return settings.solver.solve_model(gradients, inputs, ridge, products, right, progress)
    if ridge == 0 and not isinstance(settings.solver, Exact):
        refuse_singular(products, right)
    if isinstance(settings.solver, Lissa) and settings.batch is not None:
        rng = torch.Generator().manual_seed(settings.solver.seed)
        size = min(settings.batch, len(labels))

        def noisy(vectors: torch.Tensor) -> torch.Tensor:
            rows = torch.randint(len(labels), (size,), generator=rng).to(labels.device)
            return gradients.products(vectors, inputs[rows], labels[rows]) + ridge * vectors

        return settings.solver.solve(products, right, progress, noisy)
    return settings.solver.solve(products, right, progress)


def fold_gradients(model: Gradients, validation: Samples, folds: torch.Tensor) -> torch.Tensor:
    """(B, P): the gradient of the mean loss over each fold."""
    inputs, labels = data_of(model, validation)
    rows = [(folds == fold).to(labels.device) for fold in range(int(folds.max()) + 1)]
    found = model.like.new_empty(len(rows), model.size)
    for place, row in zip(found, rows, strict=True):
        place.copy_(model.gradient(inputs[row], labels[row]))
    return found


def fold_sizes(folds: torch.Tensor) -> Floats:
    """float64 (B,): samples in each fold."""
    return torch.bincount(folds).double().numpy()


def proba_of(model: Gradients, inputs: torch.Tensor) -> Floats:
    """float64 (N, C): the probabilities that the model gives."""
    outputs = model.outputs(model.prepare(inputs))
    return probabilities(outputs, model.loss).double().cpu().numpy()
