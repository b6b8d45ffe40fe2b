"""Several models of one architecture, evaluated in one pass over the same images on a CPU.

Candidates differ from the global model in a tenth of their parameters, but all that they can share
is what comes before the first of these: the images. So the first layers of K models become one
layer with K times the channels, and later layers become grouped ones: where one model has values
(B, C, ...), these have (B, K * C, ...). Wide layers use a CPU's vectors better than narrow ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from offchain.seccl.parameters import Layout
from offchain.seccl.training import LocalData, to_inputs

STACK = 4
"""Models a pass: of 2, 4, 5, 10 and 20, four took least time (benchmarks/seccl_paths.md)."""

_BATCH = 32
"""Images a pass: with four models, what a pass makes stays in a CPU's cache."""

_CHANNEL_BY_CHANNEL: tuple[Callable[..., Tensor], ...] = (
    functional.relu,
    torch.relu,
    Tensor.relu,
    functional.gelu,
    functional.silu,
    functional.leaky_relu,
    functional.elu,
    torch.tanh,
    Tensor.tanh,
    torch.sigmoid,
    Tensor.sigmoid,
    functional.max_pool2d,
    functional.avg_pool2d,
    functional.adaptive_avg_pool2d,
    Tensor.add,
    Tensor.sub,
    Tensor.mul,
    Tensor.div,
)
"""Functions that are the same of K models' channels side by side as of each alone."""


class NotStackable(RuntimeError):
    """A model that cannot be evaluated together with others; one line for people."""


def stacked_confusions(
    model: nn.Module,
    models: Tensor,
    samples: Sequence[LocalData],
    class_count: int,
    memory_format: torch.memory_format,
) -> Tensor:
    """What each of `models`, float32 (K, P), predicts on each of V sample sets.

    model: any one of that architecture. Returns counts int64 (V, K, C, C), as `Engine.confusions`
    does. Raises NotStackable when the model calls a function that has no stacked form here.
    """
    count, cells = len(models), len(models) * class_count**2
    stack = _Stack(model, models, memory_format)
    first_cell = torch.arange(count).unsqueeze(1) * class_count**2  # (K, 1)
    totals = torch.zeros(len(samples), cells, dtype=torch.int64)
    model.eval()
    with torch.inference_mode():
        for total, part in zip(totals, samples, strict=True):
            for images, labels in zip(
                torch.split(part.images, _BATCH), torch.split(part.labels, _BATCH), strict=True
            ):
                inputs = to_inputs(images, memory_format)
                with stack:
                    logits = model(inputs)
                predicted = logits.view(-1, count, class_count).argmax(-1).t()  # (K, B)
                cell = first_cell + labels * class_count + predicted
                total += torch.bincount(cell.flatten(), minlength=cells)
    return totals.view(len(samples), count, class_count, class_count)


class _Stack(TorchFunctionMode):
    """While it is entered, a model computes with the parameters of K models in place of its own."""

    def __init__(self, model: nn.Module, models: Tensor, memory_format: torch.memory_format):
        super().__init__()
        views = Layout.of(model).views(models)
        self._count = len(models)
        self._stacked: dict[int, Tensor] = {}
        for name, parameter in model.named_parameters():
            wide = views[name].flatten(0, 1)  # (K * C, ...)
            # A view of K models' flat vectors is laid out anew: convolutions would do it each pass.
            wide = wide.contiguous(
                memory_format=memory_format if wide.dim() == 4 else torch.contiguous_format
            )
            self._stacked[id(parameter)] = wide
        self._forms: dict[Any, Callable[..., Tensor]] = {
            torch.conv2d: self._convolution,
            functional.linear: self._linear,
            functional.group_norm: self._group_norm,
            functional.dropout: _dropout,
            torch.flatten: _flatten,
            Tensor.flatten: _flatten,
            **{function: partial(self._alike, function) for function in _CHANNEL_BY_CHANNEL},
        }

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Tensor:
        form = self._forms.get(func)
        if form is None:
            raise NotStackable(f"no stacked form of {getattr(func, '__name__', func)}")
        return form(*args, **(kwargs or {}))

    def _alike(self, function: Callable[..., Tensor], *args: Any, **kwargs: Any) -> Tensor:
        if any(id(value) in self._stacked for value in (*args, *kwargs.values())):
            raise NotStackable(f"no stacked form of {function.__name__} of a parameter")
        return function(*args, **kwargs)

    def _of(self, parameter: Tensor) -> Tensor:
        try:
            return self._stacked[id(parameter)]
        except KeyError:
            raise NotStackable("no stacked form of a layer whose weights are computed") from None

    def _convolution(
        self,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Tensor:
        alike = x.shape[1] == weight.shape[1] * groups  # nothing before it differed
        if alike and groups > 1:
            raise NotStackable("no stacked form of a first convolution in groups")
        return torch.conv2d(
            x,
            self._of(weight),
            None if bias is None else self._of(bias),
            stride,
            padding,
            dilation,
            1 if alike else groups * self._count,
        )

    def _linear(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        wide, beside = self._of(weight), None if bias is None else self._of(bias)
        if x.dim() != 2:
            raise NotStackable(f"no stacked form of a dense layer of {x.dim()} dimensions")
        if x.shape[1] == weight.shape[1]:
            return functional.linear(x, wide, beside)
        each = x.view(len(x), self._count, -1).transpose(0, 1)  # (K, B, F)
        y = torch.bmm(each, wide.view(self._count, *weight.shape).transpose(1, 2))
        y = y.transpose(0, 1).flatten(1)  # (B, K * F')
        return y if beside is None else y + beside

    def _group_norm(
        self,
        x: Tensor,
        num_groups: int,
        weight: Tensor | None = None,
        bias: Tensor | None = None,
        eps: float = 1e-5,
    ) -> Tensor:
        if weight is None or bias is None or x.shape[1] == len(weight):
            raise NotStackable("no stacked form of a first, or plain, group normalisation")
        wide = self._of(weight), self._of(bias)
        return functional.group_norm(x, num_groups * self._count, *wide, eps)


def _flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    if (start_dim, end_dim) != (1, -1):
        raise NotStackable(f"no stacked form of flatten({start_dim}, {end_dim})")
    return x.flatten(1)


def _dropout(x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    if training:
        raise NotStackable("no stacked form of dropout in evaluation")
    return x
