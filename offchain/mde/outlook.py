"""How long influence functions will take, and how much memory, told before they begin.

A few samples are timed on this machine, and what is to be done is counted. Seconds are of the
processor, several threads share them out; a core whose caches others fill takes up to twice as
many (benchmarks/mde_memory.md).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from offchain.mde.differentiate import differentiate
from offchain.mde.ekfac import PASSES, Ekfac
from offchain.mde.ekfac_blocks import VALUES
from offchain.mde.gradients import Gradients, NetworkGradients, data_of
from offchain.mde.influence import InfluenceSettings
from offchain.mde.samples import Task
from offchain.mde.solvers import PROBE_STEPS, Arnoldi, ConjugateGradients, Exact, Lissa

_FEW, _MORE = 4, 32
"""Samples that are timed: what a batch costs, and what a sample costs beside it."""

_MULTIPLIED, _DECOMPOSED = 512, 256
"""Sizes of the matrices that are timed."""

_UNFOLDED = 8
"""Times that what is unfolded at a time is held: copied, turned, multiplied out."""

_HELD = 6
"""Times that a batch's tensors are held: to go forward and back, their changes and their slopes."""


@dataclass(frozen=True)
class Outlook:
    """seconds: of the processor, at most where a solver may stop early; each: for each candidate
    after that. memory: bytes beside the model and the data."""

    seconds: float
    each: float
    memory: int

    def __str__(self) -> str:
        return (
            f"about {_long(self.seconds)} of the processor and {_size(self.memory)} of memory, "
            f"then {_long(1000 * self.each)} for 1,000 samples"
        )


def outlook(model: object, task: Task, settings: InfluenceSettings) -> Outlook:
    """What `influence` will take. Raises what it refuses before any work."""
    gradients = differentiate(model, task, settings.layers, settings.curvature)
    ridge = task.l2 + settings.damping
    solver, folds, count = settings.solver, settings.folds, len(task.train)
    one = gradients.prepare(task.train.inputs[:1])
    batch = gradients.batch(one)
    plan = solver.plan(gradients, one, count, ridge) if isinstance(solver, Ekfac) else None
    vector = gradients.like.new_full((1, gradients.size), 1e-3)
    slope = _pace(gradients.gradient, gradients, task, batch)
    product = _pace(lambda x, y: gradients.products(vector, x, y), gradients, task, batch)
    all_folds = vector.expand(folds, -1)
    aligned = _pace(lambda x, y: gradients.alignments(all_folds, x, y), gradients, task, batch)
    number = gradients.like.element_size()
    seconds = slope(len(task.validation))
    memory = number * gradients.size * (2 * folds + 8)
    if isinstance(gradients, NetworkGradients):
        memory += _HELD * gradients.held(one)
    else:
        memory += number * one.numel() * (count + len(task.validation))
    if plan is not None:
        assert isinstance(solver, Ekfac)
        products, cubes = (sum(part) for part in zip(*(b.work() for b in plan.blocks), strict=True))
        seconds += PASSES * len(plan.groups) * solver.draws * slope(count) + product(count)
        seconds += solver.draws * count * products * _multiplying() + cubes * _decomposing()
        memory += plan.memory + _UNFOLDED * 4 * VALUES
    elif isinstance(solver, Exact):
        seconds += gradients.size * product(count)
        memory += 4 * 8 * gradients.size**2
    else:
        seconds += _steps(solver, folds, settings.batch, count) * product(settings.batch or count)
        memory += number * gradients.size * (3 * folds + _basis(solver, ridge))
        seconds += product(count) * (PROBE_STEPS if ridge == 0 else 0)
    return Outlook(seconds, aligned(batch) / batch, memory)


def _steps(
    solver: ConjugateGradients | Lissa | Arnoldi | Ekfac | Exact,
    folds: int,
    batch: int | None,
    count: int,
) -> int:
    """Products with one vector, at most."""
    if isinstance(solver, ConjugateGradients):
        return folds * (solver.iterations + 1)
    if isinstance(solver, Lissa):
        return folds * (solver.depth * solver.repeats + 1) + PROBE_STEPS
    assert isinstance(solver, Arnoldi)
    return solver.steps + folds


def _basis(solver: object, ridge: float) -> int:
    """Vectors of a Lanczos basis, which is copied once."""
    if isinstance(solver, Arnoldi):
        return 2 * solver.steps + 2 * solver.rank
    return 2 * PROBE_STEPS if isinstance(solver, Lissa) or ridge == 0 else 0


def _pace(
    work: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    gradients: Gradients,
    task: Task,
    batch: int,
) -> Callable[[int], float]:
    """Seconds for so many samples, of which `batch` are worked on at a time."""
    sizes = [min(size, batch, len(task.train)) for size in (_FEW, _MORE)]
    spent = []
    for size in sizes:
        inputs, labels = data_of(gradients, task.train.subset(list(range(size))))
        spent.append(_timed(lambda x=inputs, y=labels: work(x, y)))  # type: ignore[misc]
    if sizes[0] == sizes[1]:
        each = spent[1] / sizes[1]
        return lambda count: count * each
    each = max(0.0, (spent[1] - spent[0]) / (sizes[1] - sizes[0]))
    start = max(0.0, spent[0] - sizes[0] * each)
    return lambda count: -(-count // batch) * start + count * each


def _timed(work: Callable[[], object]) -> float:
    """Seconds, the less of two: the first also sets things up."""
    spent = []
    for _ in range(2):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)


def _multiplying() -> float:
    """Seconds for one multiplication in a product of matrices."""
    matrix = torch.ones(_MULTIPLIED, _MULTIPLIED)
    return _timed(lambda: matrix @ matrix) / _MULTIPLIED**3


def _decomposing() -> float:
    """Seconds for the eigenvectors of a matrix, by the cube of its size."""
    rng = torch.Generator().manual_seed(0)
    matrix = torch.randn(_DECOMPOSED, _DECOMPOSED, generator=rng, dtype=torch.float64)
    matrix = matrix @ matrix.T
    return _timed(lambda: torch.linalg.eigh(matrix)) / _DECOMPOSED**3


def _long(seconds: float) -> str:
    if seconds < 1:
        return "a second"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:,.0f} h"


def _size(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB" if count < 2**30 else f"{count / 2**30:,.1f} GiB"
