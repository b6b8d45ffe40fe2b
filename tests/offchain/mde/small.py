"""Small tasks and models for the MDE tests, all made from seeds."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from offchain.mde.report import Findings
from offchain.mde.samples import Samples, Task
from offchain.task import Task as Asked


def drawn(count: int, seed: int, width: int = 8, classes: int = 3) -> Samples:
    """Features around one centre per class, which all seeds share."""
    centres = torch.randn(classes, width, generator=torch.Generator().manual_seed(0)) * 1.5
    rng = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    return Samples(centres[labels] + torch.randn(count, width, generator=rng), labels)


def small_task(l2: float = 1e-2, loss: str = "cross-entropy", **kind: int) -> Task:
    return Task(drawn(120, 1, **kind), drawn(90, 2, **kind), kind.get("classes", 3), l2, loss)


def small_asked(classes: int = 3, width: int = 8) -> Asked:
    """The task document of orders for `drawn` samples."""
    names = tuple("abcdefghij"[:classes])
    return Asked("table", names, (width,), "CC0-1.0")


def objective(weights: torch.Tensor, samples: Samples, task: Task) -> torch.Tensor:
    """What a linear model (D + 1, C) minimises."""
    x = torch.cat([samples.inputs, torch.ones(len(samples), 1)], 1).double()
    outputs = x @ weights
    if task.loss == "squared":
        target = functional.one_hot(samples.labels, task.classes).double()
        fit = (outputs - target).square().sum(1).mean() / 2
    else:
        fit = functional.cross_entropy(outputs, samples.labels)
    return fit + task.l2 / 2 * weights.square().sum()


def fitted(
    task: Task, samples: Samples | None = None, start: torch.Tensor | None = None
) -> torch.Tensor:
    """The optimum (D + 1, C) in float64, by Newton's method from `start` on."""
    samples = task.train if samples is None else samples
    weights = torch.zeros(samples.shape[0] + 1, task.classes, dtype=torch.float64)
    weights = weights if start is None else start
    for _ in range(30):
        slope = torch.func.grad(objective)(weights, samples, task)
        if slope.norm() < 1e-10:
            break
        matrix = torch.func.hessian(objective)(weights, samples, task)
        size = weights.numel()
        step = torch.linalg.lstsq(matrix.view(size, size), slope.reshape(size, 1)).solution
        weights = weights - step.view_as(weights)
    return weights


def linear(weights: torch.Tensor, double: bool = False) -> nn.Linear:
    """The model with these weights (D + 1, C)."""
    model = nn.Linear(weights.shape[0] - 1, weights.shape[1])
    model = model.double() if double else model
    with torch.no_grad():
        model.weight.copy_(weights[:-1].T)
        model.bias.copy_(weights[-1])
    return model


def loss_of(weights: torch.Tensor, samples: Samples, task: Task) -> float:
    """The mean loss without the l2 term."""
    return float(
        objective(weights, samples, Task(task.train, task.validation, task.classes, 0.0, task.loss))
    )


def nothing_found(count: int) -> Findings:
    import numpy as np

    none = np.zeros(count, dtype=bool)
    return Findings(np.arange(count), none, none, none, none, none)
