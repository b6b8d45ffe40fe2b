"""A model as a function of the parameters that scores refer to: its gradients and its curvature.

Vectors over parameters are flat, float (R, P), R of them at a time, in the order of
`named_parameters()`. Data streams through in batches: nothing of the size samples x parameters is
ever held, and of a network's own tensors those of one batch, `HELD_BYTES` or one sample's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import torch
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from torch.func import functional_call, grad, jvp, vjp, vmap
from torch.nn import functional

from offchain.mde.losses import output_curvature, residuals, sample_losses
from offchain.mde.samples import Samples, as_floats

CURVATURES = ("gauss-newton", "hessian")

HELD_BYTES = 128 << 20
"""What a network keeps of one batch to go back through it."""

OWN_SHARE = 8
"""Samples' own gradients are made where they have no more numbers than so many times those that the
network keeps of a sample: else the changes along each vector cost less, and no memory."""

_BATCH = 256
_BATCH_VALUES = 1 << 24
"""Numbers that one batch's gradients, or the changes of its outputs, may fill: 64 MB in float32."""


class Gradients(Protocol):
    """A model with its data prepared; `inputs` below are what `prepare` made."""

    @property
    def classes(self) -> int:
        """C, the number of outputs."""
        ...

    @property
    def loss(self) -> str:
        """As `Task.loss`."""
        ...

    @property
    def size(self) -> int:
        """P, the number of parameters that scores refer to."""
        ...

    @property
    def like(self) -> torch.Tensor:
        """Any tensor of the parameters' dtype and device."""
        ...

    def prepare(self, inputs: torch.Tensor) -> torch.Tensor:
        """Inputs as in `Samples` to what the model part with the parameters takes."""
        ...

    def batch(self, inputs: torch.Tensor) -> int:
        """How many of `inputs` go through the model at a time."""
        ...

    def outputs(self, inputs: torch.Tensor) -> torch.Tensor:
        """(B, C), the logits, or the outputs of a squared loss."""
        ...

    def gradient(self, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """(P,), of the mean loss."""
        ...

    def products(
        self, vectors: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """(R, P): curvature of the mean loss times each of `vectors` (R, P)."""
        ...

    def alignments(
        self, vectors: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        """(B, R): inner product of each sample's own gradient with each of `vectors` (R, P)."""
        ...


@dataclass(frozen=True, eq=False)
class LinearGradients:
    """One dense layer, whose outputs are the logits, on features that `trunk` makes.

    The Gauss-Newton matrix is the Hessian itself, which is positive semi-definite. weight:
    (C, D); bias: (C,) or None. trunk: None where the features are the inputs.
    """

    weight: torch.Tensor
    bias: torch.Tensor | None
    trunk: nn.Module | None
    classes: int
    loss: str

    @property
    def size(self) -> int:
        return self.weight.numel() + (0 if self.bias is None else self.bias.numel())

    @property
    def like(self) -> torch.Tensor:
        return self.weight

    def prepare(self, inputs: torch.Tensor) -> torch.Tensor:
        floats = as_floats(inputs.to(self.weight.device), self.weight.dtype)
        if self.trunk is None:
            return floats.flatten(1)
        with torch.no_grad():
            parts = [self.trunk(part) for part in torch.split(floats, _BATCH)]
        return torch.cat(parts)

    def batch(self, inputs: torch.Tensor) -> int:
        return _BATCH

    def outputs(self, inputs: torch.Tensor) -> torch.Tensor:
        return functional.linear(inputs, self.weight, self.bias)

    def gradient(self, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        rest = residuals(self.outputs(inputs), labels, self.loss) / len(labels)  # (B, C)
        return self._flat(rest.T @ inputs, rest.sum(0))

    def products(
        self, vectors: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        result = torch.zeros_like(vectors)
        rows = max(1, _BATCH_VALUES // (len(vectors) * self.classes))
        weights, biases = self._parts(vectors)
        for x in torch.split(inputs, rows):
            changes = torch.einsum("bd,rcd->rbc", x, weights) + biases[:, None]
            back = output_curvature(changes, self.outputs(x), self.loss) / len(inputs)
            result += self._flat(torch.einsum("rbc,bd->rcd", back, x), back.sum(1))
        return result

    def alignments(
        self, vectors: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        weights, biases = self._parts(vectors)
        rows = max(1, _BATCH_VALUES // (len(vectors) * self.classes))
        found = []
        for x, y in zip(torch.split(inputs, rows), torch.split(labels, rows), strict=True):
            changes = torch.einsum("bd,rcd->brc", x, weights) + biases
            rest = residuals(self.outputs(x), y, self.loss)
            found.append((changes * rest[:, None]).sum(-1))
        return torch.cat(found)

    def _parts(self, vectors: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        count = self.weight.numel()
        weights = vectors[:, :count].view(-1, *self.weight.shape)
        biases = vectors[:, count:] if self.bias is not None else vectors.new_zeros(1)
        return weights, biases

    def _flat(self, weights: torch.Tensor, biases: torch.Tensor) -> torch.Tensor:
        flat = weights.flatten(-2)
        return flat if self.bias is None else torch.cat([flat, biases], -1)


@dataclass(frozen=True, eq=False)
class NetworkGradients:
    """Any network, by some or all of its parameters.

    module: in evaluation mode. names: of the parameters that scores refer to.
    curvature: "gauss-newton", positive semi-definite; or "hessian", which is neither.
    """

    module: nn.Module
    names: tuple[str, ...]
    classes: int
    loss: str
    curvature: str
    _held: dict[tuple[int, ...], int] = field(default_factory=dict, init=False)

    @property
    def chosen(self) -> dict[str, torch.Tensor]:
        """The parameters that scores refer to, by name."""
        return {name: self.module.get_parameter(name).detach() for name in self.names}

    @property
    def size(self) -> int:
        return sum(p.numel() for p in self.chosen.values())

    @property
    def like(self) -> torch.Tensor:
        return next(iter(self.chosen.values()))

    def prepare(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.to(self.like.device)

    def batch(self, inputs: torch.Tensor) -> int:
        return max(1, min(_BATCH, HELD_BYTES // max(1, self._one(inputs))))

    def held(self, inputs: torch.Tensor) -> int:
        """Bytes that are kept of one batch to go back through the network."""
        return self.batch(inputs) * self._one(inputs)

    def _one(self, inputs: torch.Tensor) -> int:
        shape = tuple(inputs.shape[1:])
        if shape not in self._held:
            one = as_floats(inputs[:1], self.like.dtype)
            self._held[shape] = _held_for_one(self.module, one)
        return self._held[shape]

    def outputs(self, inputs: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            parts = torch.split(inputs, self.batch(inputs))
            return torch.cat([self.module(as_floats(x, self.like.dtype)) for x in parts])

    def gradient(self, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        result = self.like.new_zeros(self.size)
        for x, y in self._parts(inputs, labels):
            result += self._flat(grad(self._loss)(self.chosen, x, y)) * (len(y) / len(labels))
        return result

    def products(
        self, vectors: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        result = torch.zeros_like(vectors)
        for x, y in self._parts(inputs, labels):
            share = len(y) / len(labels)
            # One vector at a time: batched tangents make grouped convolutions, which are slower.
            for row, vector in enumerate(vectors):
                result[row] += share * self._product(self._named(vector), x, y)
        return result

    def alignments(
        self, vectors: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        held = self._one(inputs) // self.like.element_size()
        if self.size <= OWN_SHARE * held:
            return self._by_own_gradients(vectors, inputs, labels)
        # How fast each sample's loss changes along a vector: no sample's own gradient is made.
        found = inputs.new_empty((len(labels), len(vectors)), dtype=vectors.dtype)
        done = 0
        for x, y in self._parts(inputs, labels):
            losses = partial(self._losses, x=x, y=y)
            for row, vector in enumerate(vectors):
                moved = jvp(losses, (self.chosen,), (self._named(vector),))[1]
                found[done : done + len(y), row] = moved
            done += len(y)
        return found

    def _by_own_gradients(
        self, vectors: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor
    ) -> torch.Tensor:
        def one(chosen: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
            return self._loss(chosen, x[None], y[None])

        per_sample = vmap(grad(one), (None, 0, 0))
        found = []
        for x, y in self._parts(inputs, labels, _BATCH_VALUES // self.size):
            gradients = per_sample(self.chosen, x, y)
            found.append(torch.cat([g.flatten(1) for g in gradients.values()], 1) @ vectors.T)
        return torch.cat(found)

    def _parts(
        self, inputs: torch.Tensor, labels: torch.Tensor, most: int = _BATCH
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        rows = max(1, min(self.batch(inputs), most))
        return zip(torch.split(inputs, rows), torch.split(labels, rows), strict=True)

    def _outputs(self, chosen: dict[str, torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        made: torch.Tensor = functional_call(self.module, chosen, (as_floats(x, self.like.dtype),))
        return made

    def _losses(
        self, chosen: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor
    ) -> torch.Tensor:
        return sample_losses(self._outputs(chosen, x), y, self.loss)

    def _loss(
        self, chosen: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor
    ) -> torch.Tensor:
        return self._losses(chosen, x, y).mean()

    def _product(
        self, vector: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor
    ) -> torch.Tensor:
        chosen = self.chosen
        if self.curvature == "hessian":
            change = jvp(lambda p: grad(self._loss)(p, x, y), (chosen,), (vector,))[1]
            return self._flat(change)
        moved: tuple[torch.Tensor, ...] = jvp(lambda p: self._outputs(p, x), (chosen,), (vector,))
        outputs, changes = moved[0], moved[1]
        back = output_curvature(changes, outputs, self.loss) / len(y)
        return self._flat(vjp(lambda p: self._outputs(p, x), chosen)[1](back)[0])

    def _named(self, vector: torch.Tensor) -> dict[str, torch.Tensor]:
        chosen = self.chosen
        parts = torch.split(vector, [p.numel() for p in chosen.values()])
        return {n: part.view_as(p) for (n, p), part in zip(chosen.items(), parts, strict=True)}

    def _flat(self, named: dict[str, torch.Tensor]) -> torch.Tensor:
        return torch.cat([named[name].flatten() for name in self.names])


def data_of(model: Gradients, samples: Samples) -> tuple[torch.Tensor, torch.Tensor]:
    """`samples` as the model's methods take them: prepared inputs and labels, on its device."""
    return model.prepare(samples.inputs), samples.labels.to(model.like.device)


def _held_for_one(module: nn.Module, one: torch.Tensor) -> int:
    """Bytes that autograd keeps for each further sample like `one`, (1, ...)."""

    def held(x: torch.Tensor) -> int:
        kept: dict[int, int] = {}

        def keep(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        moving = {name: p.detach().requires_grad_() for name, p in module.named_parameters()}
        with torch.enable_grad(), saved_tensors_hooks(keep, lambda tensor: tensor):
            outputs = functional_call(module, moving, (x,))
        del outputs
        return sum(kept.values())

    return held(torch.cat([one, one])) - held(one)
