"""Model compression (paper section 5.1.3): what candidate data changes in a small student.

The student takes a few steps of gradient descent on mini-batches of the owner's data, once as it
is and once for each candidate sample with that sample in every mini-batch. The score is by how much
lower the student's validation loss is with it than without.

`linearised` gives the limit of one small step instead, rate / (batch + 1) times the inner product
of the sample's gradient with that of the validation loss: faster, and fit for an artefact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, grad, vmap

from offchain.data.imageset import Progress
from offchain.data.seeds import generator
from offchain.mde.blackbox import black_box, fidelity
from offchain.mde.differentiate import differentiate
from offchain.mde.errors import MdeError
from offchain.mde.feature_space import Embedding
from offchain.mde.influence import GradientEfficacy, fold_gradients, fold_sizes
from offchain.mde.losses import sample_losses
from offchain.mde.report import Efficacy, EfficacyReport, make_report
from offchain.mde.samples import Floats, Samples, Task, as_floats
from offchain.mde.setlevel import SetReference, SetSettings
from offchain.mde.students import Compression, Distilled

STUDENT_UNIT = "nats of the student's mean validation loss after retraining"

_VALUES = 1 << 24
"""Numbers that the students retrained together, or their outputs, may fill."""


@dataclass(frozen=True)
class CompressionSettings:
    """The student and its retraining.

    steps: of gradient descent at `rate`, 1 or more. batch: the owner's samples in each; a candidate
    sample comes on top. linearised: see the module.
    """

    student: Compression = field(default_factory=Distilled)
    steps: int = 1
    rate: float = 0.1
    batch: int = 32
    linearised: bool = False
    seed: int = 0
    folds: int = 8
    sets: SetSettings = field(default_factory=SetSettings)

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1:
            raise MdeError(f"steps and batch must be 1 or more: {self.steps}, {self.batch}")
        if not 0 < self.rate < math.inf:
            raise MdeError(f"rate must be above 0 and finite, not {self.rate:g}")
        if self.linearised and self.steps != 1:
            raise MdeError(f"a linearised score is of 1 step, not {self.steps}")


@dataclass(frozen=True, eq=False)
class StudentEfficacy:
    """Scores by retraining a student for a few steps."""

    method: str
    unit: str
    student: nn.Module
    settings: CompressionSettings
    folds: torch.Tensor
    reference: SetReference
    task: Task
    diagnostics: dict[str, float]

    def fold_scores(self, candidate: Samples, progress: Progress | None = None) -> Floats:
        """float64 (N, B): the score of each sample against each fold."""
        return self.group_scores(candidate, [[i] for i in range(len(candidate))], progress)

    def group_scores(
        self,
        candidate: Samples,
        groups: Sequence[Sequence[int]],
        progress: Progress | None = None,
    ) -> Floats:
        """float64 (G, B): the score of each group, all of whose samples join each mini-batch."""
        if not groups or not all(groups):
            raise MdeError("each group needs 1 sample or more")
        self.task.check(candidate)
        largest = max(map(len, groups))
        size = sum(p.numel() for p in self.student.parameters())
        outputs = len(self.task.validation) * 64
        together = max(1, min(64, _VALUES // (size + outputs)))
        without = self._losses([[]], candidate, largest)
        found = []
        for start in range(0, len(groups), together):
            part = groups[start : start + together]
            found.append(without - self._losses(part, candidate, largest))
            if progress is not None:
                progress(start + len(part), len(groups))
        return np.concatenate(found)

    def _losses(self, groups: Sequence[Sequence[int]], candidate: Samples, largest: int) -> Floats:
        """float64 (G, B): validation losses by fold of a student retrained with each group."""
        like = next(self.student.parameters())
        rows = torch.zeros((len(groups), largest), dtype=torch.int64)
        counted = torch.zeros((len(groups), largest), dtype=like.dtype, device=like.device)
        for number, group in enumerate(groups):
            rows[number, : len(group)] = torch.tensor(list(group), dtype=torch.int64)
            counted[number, : len(group)] = 1
        x = as_floats(candidate.inputs[rows].to(like.device), like.dtype)  # (G, M, ...)
        y = candidate.labels[rows].to(like.device)
        parameters = {
            name: p.detach().expand(len(groups), *p.shape)
            for name, p in self.student.named_parameters()
        }
        rng = generator(self.settings.seed, "mde compression")
        own, rate = self.task.train, self.settings.rate
        for _ in range(self.settings.steps):
            batch = torch.from_numpy(rng.integers(len(own), size=self.settings.batch))
            bx = as_floats(own.inputs[batch].to(like.device), like.dtype)
            by = own.labels[batch].to(like.device)
            slopes = vmap(grad(self._loss), (0, None, None, 0, 0, 0))(
                parameters, bx, by, x, y, counted
            )
            parameters = {n: p - rate * slopes[n] for n, p in parameters.items()}
        losses = vmap(self._validation, (0, None, None))(
            parameters,
            as_floats(self.task.validation.inputs.to(like.device), like.dtype),
            self.task.validation.labels.to(like.device),
        ).double()  # (G, V)
        member = torch.nn.functional.one_hot(self.folds).double().to(losses.device)  # (V, B)
        return (losses @ (member / member.sum(0))).cpu().numpy()

    def _loss(
        self,
        parameters: dict[str, torch.Tensor],
        bx: torch.Tensor,
        by: torch.Tensor,
        x: torch.Tensor,
        y: torch.Tensor,
        counted: torch.Tensor,
    ) -> torch.Tensor:
        outputs = functional_call(self.student, parameters, (torch.cat([bx, x]),))
        losses = sample_losses(outputs, torch.cat([by, y]), self.task.loss)
        weights = torch.cat([counted.new_ones(len(by)), counted])
        l2 = torch.stack([p.square().sum() for p in parameters.values()]).sum()
        return (losses * weights).sum() / weights.sum() + self.task.l2 / 2 * l2

    def _validation(
        self, parameters: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor
    ) -> torch.Tensor:
        return sample_losses(functional_call(self.student, parameters, (x,)), y, self.task.loss)

    def proba(self, inputs: torch.Tensor) -> Floats:
        """float64 (N, C): what the student believes."""
        return black_box(self.student, self.task)(inputs)

    def report(self, candidate: Samples, progress: Progress | None = None) -> EfficacyReport:
        """See `Efficacy.report`."""
        self.task.check(candidate)
        return make_report(
            self.method,
            self.unit,
            self.fold_scores(candidate, progress),
            fold_sizes(self.folds),
            self.reference.findings(candidate, self.proba(candidate.inputs)),
            self.diagnostics,
        )


def compression(
    model: Any,
    task: Task,
    settings: CompressionSettings | None = None,
    *,
    embed: Embedding | None = None,
    progress: Progress | None = None,
) -> Efficacy:
    """A student of `model`, ready for candidates.

    model: a torch module; a distilled student takes any model that `black_box` takes.
    progress: called as (done, total) while a student is distilled. The diagnostics say how well
    the student stands in for the model (`fidelity`, on the validation set).
    """
    settings = settings or CompressionSettings()
    student = settings.student.student(model, task, progress)
    said = black_box(student, task)(task.validation.inputs)
    gradients = differentiate(student, task)
    folds = task.validation_folds(settings.folds)
    name = f"compression/{type(settings.student).__name__.lower()}"
    reference = SetReference.of(task, said, settings.sets, embed)
    diagnostics = {
        **fidelity(said, black_box(model, task)(task.validation.inputs)),
        "parameters": float(gradients.size),
        "steps": float(settings.steps),
    }
    if not settings.linearised:
        return StudentEfficacy(
            name, STUDENT_UNIT, student, settings, folds, reference, task, diagnostics
        )
    directions = fold_gradients(gradients, task.validation, folds)
    return GradientEfficacy(
        name,
        STUDENT_UNIT,
        gradients,
        directions * settings.rate / (settings.batch + 1),
        fold_sizes(folds),
        reference,
        task.kind,
        diagnostics,
    )
