"""Any classifier as a function from inputs to probabilities: all that extraction asks for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from offchain.mde.errors import FeatureMismatch, MdeError, NotFinite, UnknownLabel
from offchain.mde.losses import probabilities
from offchain.mde.samples import Floats, Task, as_floats

BlackBox = Callable[[torch.Tensor], Floats]
"""Inputs as in `Samples`, (B, ...), to float64 (B, C), rows that sum to 1 or nearly so."""

_BATCH = 1024


def black_box(model: Any, task: Task) -> BlackBox:
    """`model` as a function from inputs to probabilities.

    model: a torch module; or anything with `predict_proba`, scikit-learn's classifiers among them,
        or a plain callable: both take float32 (B, D), images flattened to [0, 1], and give
        (B, classes).

    A model that calls its classes by names is asked by `task.names`; UnknownLabel is raised where
    the task has none, or not those.

    Every answer is checked: raises FeatureMismatch for a wrong shape, NotFinite for NaN or for
    what is no probability. Raises MdeError when `model` is none of these.
    """
    if isinstance(model, nn.Module):
        module = copy.deepcopy(model).eval()
        return lambda inputs: _checked(_of_module(module, inputs, task), inputs, task)
    predict = getattr(model, "predict_proba", model)
    if not callable(predict):
        raise MdeError(f"{type(model).__name__} has no predict_proba and cannot be called")
    known = _labels(getattr(model, "classes_", None), task)

    def ask(inputs: torch.Tensor) -> Floats:
        flat = as_floats(inputs).flatten(1).numpy()
        made = np.asarray(predict(flat), dtype=np.float64)
        # scikit-learn leaves out the classes that it never saw.
        if known is not None and made.shape == (len(flat), len(known)):
            full = np.zeros((len(flat), task.classes))
            full[:, known] = made
            made = full
        return _checked(made, inputs, task)

    return ask


def _labels(known: Any, task: Task) -> list[int] | None:
    """The task's labels of a model's classes, in the model's order; None where it says none."""
    if known is None or len(known) == 0:
        return None
    labels = []
    for name in np.asarray(known).tolist():
        if isinstance(name, str):
            if task.names is None:
                raise UnknownLabel(
                    f"the model calls a class {name!r:.40}: state the names of the task's classes "
                    "in the order of their labels"
                )
            if name not in task.names:
                raise UnknownLabel(
                    f"the model's class {name!r:.40} is none of {', '.join(task.names)}"
                )
            labels.append(task.names.index(name))
        elif name != int(name) or not 0 <= name < task.classes:
            raise UnknownLabel(
                f"the model's class {name!r:.40} is no label: those are 0 to {task.classes - 1}"
            )
        else:
            labels.append(int(name))
    return labels


def _of_module(module: nn.Module, inputs: torch.Tensor, task: Task) -> Floats:
    like = next(module.parameters())
    with torch.no_grad():
        made = [
            probabilities(module(as_floats(x.to(like.device), like.dtype)), task.loss)
            for x in torch.split(inputs, _BATCH)
        ]
    return torch.cat(made).double().cpu().numpy()


def _checked(made: Floats, inputs: torch.Tensor, task: Task) -> Floats:
    if made.shape != (len(inputs), task.classes):
        raise FeatureMismatch(
            f"the model gives {made.shape} for {len(inputs)} samples of {task.classes} classes"
        )
    if not np.isfinite(made).all() or made.min() < -1e-6 or made.max() > 1 + 1e-6:
        raise NotFinite("the model gives values that are no probabilities")
    return made


def fidelity(said: Floats, truth: Floats) -> dict[str, float]:
    """How well a stand-in's probabilities (N, C) follow the model's, `truth`.

    agreement: share of samples of which both name the same class. distance: mean total variation.
    """
    return {
        "agreement": float((said.argmax(1) == truth.argmax(1)).mean()),
        "distance": float(np.abs(said - truth).sum(1).mean() / 2),
    }
