"""TRAK (Park et al., "TRAK: attributing model behavior at scale", ICML 2023), of one model.

Near its optimum a classifier is taken for a logistic regression on the gradients of its margin
f = log(p / (1 - p)), p the probability of the label, projected at random from P to K dimensions:

    phi = S grad f, S (K, P) random        Q = sum over the owner's samples of w phi phi^T
    score(z) = (1 - p_z) phi_z^T Q^-1 mean over the validation samples of (1 - p_v) phi_v

by which adding z lowers the mean validation loss, to first order. Since (1 - p) phi = -S grad l,
only Q needs margins. The paper's weights w are 1; a logistic regression's Newton step has p (1 - p)
(`weighted`), with which the score of a binary one is its influence function exactly when nothing is
projected away. No solver has to converge; what is lost, projection loses.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch

from offchain.data.imageset import Progress
from offchain.data.seeds import generator
from offchain.mde.differentiate import differentiate
from offchain.mde.errors import MdeError, NotDifferentiable, SingularHessian
from offchain.mde.feature_space import Embedding
from offchain.mde.gradients import Gradients, data_of
from offchain.mde.influence import (
    NATS,
    GradientEfficacy,
    fold_gradients,
    fold_sizes,
    proba_of,
)
from offchain.mde.samples import Task
from offchain.mde.setlevel import SetReference, SetSettings

_VALUES = 1 << 25
"""Numbers of the projection that are held at a time: 128 MB; more are drawn anew when needed."""

_LEAST = 1e-6
"""Chance of another label below which a margin's gradient is not told from rounding."""


@dataclass(frozen=True)
class ProjectedSettings:
    """How gradients are projected.

    dims: K, 1 or more; P or more keeps all, without a projection. weighted: see the module.
    layers: of `differentiate`. damping: beside the task's l2, times the owner's samples, on Q's
    diagonal; 0 or more.
    """

    dims: int = 512
    weighted: bool = True
    layers: str | tuple[str, ...] = "all"
    damping: float = 0.0
    seed: int = 0
    folds: int = 8
    sets: SetSettings = field(default_factory=SetSettings)

    def __post_init__(self) -> None:
        if self.dims < 1:
            raise MdeError(f"dims must be 1 or more, not {self.dims}")
        if not 0 <= self.damping < math.inf:
            raise MdeError(f"damping must be 0 or more and finite, not {self.damping:g}")


def projected(
    model: object,
    task: Task,
    settings: ProjectedSettings | None = None,
    *,
    embed: Embedding | None = None,
    progress: Progress | None = None,
) -> GradientEfficacy:
    """TRAK of `model`, which was trained on `task`, ready for candidates.

    model: a torch module; see `differentiate`. progress: called as (done, total) dimensions.
    Takes per-sample gradients of the owner's data once for each 128 MB of the projection, 4 P bytes
    a dimension. Raises NotDifferentiable, SingularHessian or another MdeError.
    """
    settings = settings or ProjectedSettings()
    if task.loss != "cross-entropy":
        raise NotDifferentiable(f"TRAK is of classifiers by cross-entropy, not {task.loss}")
    gradients = differentiate(model, task, settings.layers)
    inputs, labels = data_of(gradients, task.train)
    folds = task.validation_folds(settings.folds)
    right = fold_gradients(gradients, task.validation, folds)  # (B, P)
    slopes, sought = [], []
    for done, rows in _projection(gradients, settings):
        slopes.append(gradients.alignments(rows, inputs, labels).double())  # (n, k)
        sought.append((right @ rows.T).double())  # (B, k)
        if progress is not None:
            progress(done, min(settings.dims, gradients.size))
    wrong = _wrong(gradients.outputs(inputs).double(), labels)[:, None]
    features = torch.cat(slopes, 1) / wrong
    if settings.weighted:
        features *= ((1 - wrong) * wrong).sqrt()
    ridge = len(labels) * (task.l2 + settings.damping)
    matrix = features.T @ features
    matrix += ridge * torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    factor, failed = torch.linalg.cholesky_ex(matrix)
    pivots = factor.diagonal().square()
    if int(failed) or float(pivots.min()) <= 1e-10 * float(pivots.max()):
        raise SingularHessian(
            f"{len(labels)} samples do not span {len(matrix)} dimensions: project to fewer, or "
            "state a damping above 0"
        )
    found = torch.cholesky_solve(torch.cat(sought, 1).T, factor).T  # (B, K)
    directions, start = torch.zeros_like(right), 0
    for done, rows in _projection(gradients, settings):
        directions += found[:, start:done].to(rows) @ rows
        start = done
    return GradientEfficacy(
        "trak",
        NATS,
        gradients,
        directions,
        fold_sizes(folds),
        SetReference.of(task, proba_of(gradients, task.validation.inputs), settings.sets, embed),
        task.kind,
        {
            "parameters": float(gradients.size),
            "dims": float(len(matrix)),
            "damping": settings.damping,
            "l2": task.l2,
        },
    )


def _projection(
    model: Gradients, settings: ProjectedSettings
) -> Iterator[tuple[int, torch.Tensor]]:
    """Rows (k, P) of the projection, some at a time, each with how many there are by then.

    The same rows each time that they are gone through.
    """
    dims = min(settings.dims, model.size)
    together = max(1, _VALUES // model.size)
    rng = generator(settings.seed, "mde projected")
    for start in range(0, dims, together):
        count = min(together, dims - start)
        if dims == model.size:
            rows = torch.zeros(count, dims)
            rows[torch.arange(count), torch.arange(start, start + count)] = 1
        else:
            drawn = rng.standard_normal((count, model.size), dtype=np.float32)
            rows = torch.from_numpy(drawn / math.sqrt(dims))
        yield start + count, rows.to(model.like)


def _wrong(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """(n,): chance of all other labels, 1 - p, without losing what a sure model leaves of it."""
    others = outputs.scatter(1, labels[:, None], -math.inf)
    return (others.logsumexp(1) - outputs.logsumexp(1)).exp().clamp(min=_LEAST)
