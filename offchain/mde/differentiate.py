"""From a torch module to its gradients by some or all of its layers."""

from __future__ import annotations

import copy

import torch
from torch import nn

from offchain.mde.errors import FeatureMismatch, MdeError, NotDifferentiable, NotFinite
from offchain.mde.gradients import CURVATURES, Gradients, LinearGradients, NetworkGradients
from offchain.mde.samples import Task, as_floats


class _UpTo(nn.Module):
    """A network up to the input of one of its layers."""

    def __init__(self, module: nn.Module, layer: nn.Module) -> None:
        super().__init__()
        self.module, self._seen = module, torch.empty(0)
        layer.register_forward_pre_hook(self._keep)

    def _keep(self, layer: nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        self._seen = given[0]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.module(x)
        return self._seen


def differentiate(
    model: object,
    task: Task,
    layers: str | tuple[str, ...] = "all",
    curvature: str = "gauss-newton",
) -> Gradients:
    """The gradients of `model` by the parameters of `layers`.

    model: an nn.Module, (B, D) or (B, C, H, W) floats to outputs (B, classes); it is copied and
        put into evaluation mode. layers: "all"; "last", the dense layer that gives the outputs; or
        names of modules, whose parameters it takes.

    A model that is one dense layer, or is taken by its last one, is worked with in closed form.
    Raises NotDifferentiable when the model has no gradients, FeatureMismatch when it does not take
    the task's samples, and an MdeError when it has no such layers.
    """
    if not isinstance(model, nn.Module):
        raise NotDifferentiable(
            f"{type(model).__name__} has no gradients: influence needs a torch module; "
            "model extraction takes any model with predict_proba"
        )
    if curvature not in CURVATURES:
        raise MdeError(f"a curvature is one of {', '.join(CURVATURES)}, not {curvature!r}")
    module = copy.deepcopy(model).eval().requires_grad_(False)
    names = tuple(name for name, _ in module.named_parameters())
    if not names:
        raise NotDifferentiable(f"{type(model).__name__} has no parameters to differentiate by")
    made = _checked_outputs(module, task)
    dense = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    last = dense[-1] if dense else None
    if last is not None and (layers == "last" or isinstance(_only(module), nn.Linear)):
        trunk = None if isinstance(_only(module), nn.Linear) else _UpTo(module, last)
        bias = None if last.bias is None else last.bias.detach()
        linear = LinearGradients(last.weight.detach(), bias, trunk, task.classes, task.loss)
        again = linear.outputs(linear.prepare(task.train.inputs[: len(made)]))
        if again.shape != made.shape or not torch.allclose(again, made, rtol=1e-3, atol=1e-4):
            raise MdeError("the model's last dense layer does not give its outputs: name layers")
        return linear
    if layers == "last":
        raise MdeError(f"{type(model).__name__} has no dense layer to be the last: name layers")
    if layers != "all":
        wanted = (layers,) if isinstance(layers, str) else layers
        known = {name for name, _ in module.named_modules()}
        if unknown := [name for name in wanted if name not in known]:
            raise MdeError(f"{type(model).__name__} has no layer {unknown[0]!r}")
        names = tuple(n for n in names if any(n.startswith(f"{layer}.") for layer in wanted))
        if not names:
            raise MdeError(f"the layers {', '.join(wanted)} have no parameters")
    return NetworkGradients(module, names, task.classes, task.loss, curvature)


def _only(module: nn.Module) -> nn.Module:
    """The layer that a model consists of, itself unless it merely wraps one behind a flatten."""
    if isinstance(module, nn.Sequential):
        rest = [child for child in module if not isinstance(child, nn.Flatten | nn.Identity)]
        if len(rest) == 1:
            return rest[0]
    return module


def _checked_outputs(module: nn.Module, task: Task) -> torch.Tensor:
    """Outputs of the first few training samples."""
    like = next(module.parameters())
    few = as_floats(task.train.inputs[:4].to(like.device), like.dtype)
    try:
        with torch.no_grad():
            made: torch.Tensor = module(few)
    except (RuntimeError, ValueError) as error:
        why = " ".join(str(error).split())[:120]
        raise FeatureMismatch(
            f"{type(module).__name__} does not take samples of {task.train.shape}: {why}"
        ) from error
    if made.shape != (len(few), task.classes):
        raise FeatureMismatch(
            f"{type(module).__name__} gives {tuple(made.shape)} for {len(few)} samples of "
            f"{task.classes} classes"
        )
    if not bool(torch.isfinite(made).all()):
        raise NotFinite(f"{type(module).__name__} gives NaN or infinity")
    return made
