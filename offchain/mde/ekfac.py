"""EK-FAC: the Gauss-Newton matrix of dense and convolutional layers by Kronecker factors.

George et al., "Fast approximate natural gradient descent in a Kronecker-factored eigenbasis",
NeurIPS 2018; for influence functions Grosse et al., 2023. Each layer by itself: the eigenvectors of
the covariances of its inputs and of its output gradients, and in that basis the mean square of the
gradients as eigenvalues. Labels are drawn from the model, so it is the true Fisher matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from offchain.data.imageset import Progress
from offchain.data.seeds import generator
from offchain.mde.errors import MdeError, SingularHessian
from offchain.mde.gradients import Gradients, LinearGradients, NetworkGradients
from offchain.mde.samples import as_floats
from offchain.mde.solvers import Products, Solution, residual_of

_BATCH_VALUES = 1 << 22
"""Numbers in the per-sample gradients of one layer and batch."""

Pair = tuple[torch.Tensor, torch.Tensor]
"""A layer's inputs (B, L, D), a 1 appended where it has a bias, and output gradients (B, L, O),
over the L places where the layer is applied."""


@dataclass(frozen=True)
class Ekfac:
    """The solver's settings. draws: labels drawn from the model per sample. seed: of the draws."""

    draws: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise MdeError(f"draws must be 1 or more, not {self.draws}")

    def solve_model(
        self,
        model: Gradients,
        inputs: torch.Tensor,
        ridge: float,
        products: Products,
        b: torch.Tensor,
        progress: Progress | None = None,
    ) -> Solution:
        """b: (R, P). ridge: l2 and damping together, which is added to each eigenvalue.

        The residual is that of the first right-hand side against the true Gauss-Newton matrix.
        Raises SingularHessian without a ridge, and an MdeError for layers of another kind.
        """
        if ridge == 0:
            raise SingularHessian("EK-FAC has eigenvalues of 0: state a damping above 0")
        layers = _layers_of(model)
        total = 2 * self.draws * len(inputs)
        covariances: list[Pair] | None = None
        done = 0
        for pairs in self._pairs(layers, inputs):
            new = [_covariances(pair) for pair in pairs]
            covariances = new if covariances is None else _added(covariances, new)
            done += len(pairs[0][0])
            if progress is not None:
                progress(done, total)
        assert covariances is not None
        bases = [
            (torch.linalg.eigh(a.double())[1].to(a), torch.linalg.eigh(g.double())[1].to(g))
            for a, g in covariances
        ]
        squares = [b.new_zeros(g.shape[0], a.shape[0]) for a, g in covariances]
        for pairs in self._pairs(layers, inputs):
            for square, (a, g), (over_a, over_g) in zip(squares, pairs, bases, strict=True):
                rotated = torch.einsum("blo,bld->bod", g @ over_g, a @ over_a)
                square += rotated.square().sum(0)
            done += len(pairs[0][0])
            if progress is not None:
                progress(done, total)
        x, start = torch.empty_like(b), 0
        for layer, square, (over_a, over_g) in zip(layers.found, squares, bases, strict=True):
            size = square.numel()
            part = layer.joined(b[:, start : start + size])  # (R, O, D)
            turned = over_g.T @ part @ over_a
            solved = over_g @ (turned / (square / (total / 2) + ridge)) @ over_a.T
            x[:, start : start + size] = layer.flat(solved)
            start += size
        residual = residual_of(products, b[:1], x[:1])
        return Solution(x, residual, 2 * self.draws, {"converged": 1.0})

    def _pairs(self, layers: _Layers, inputs: torch.Tensor) -> Iterator[list[Pair]]:
        """The pairs of all layers, batch by batch; the same labels each time."""
        rng = torch.Generator(device=inputs.device)
        rng.manual_seed(int(generator(self.seed, "mde ekfac").integers(2**62)))
        rows = max(1, _BATCH_VALUES // max(layer.size for layer in layers.found))
        for _ in range(self.draws):
            for x in torch.split(inputs, min(rows, 256)):
                yield layers.pairs(x, rng)


class _Layer:
    """One layer, its weight and bias as one matrix (O, D)."""

    def __init__(self, module: nn.Module, name: str) -> None:
        plain = isinstance(module, nn.Linear)
        if not plain and not (
            isinstance(module, nn.Conv2d)
            and module.groups == 1
            and module.padding_mode == "zeros"
            and not isinstance(module.padding, str)
        ):
            raise MdeError(f"EK-FAC takes dense and plain convolutional layers, {name} is neither")
        self.module, self.name = module, name
        weight = module.weight
        assert isinstance(weight, torch.Tensor)
        self.rows, self.columns = weight.shape[0], weight[0].numel()
        self.bias = module.bias is not None

    @property
    def size(self) -> int:
        return self.rows * (self.columns + self.bias)

    def joined(self, flat: torch.Tensor) -> torch.Tensor:
        """(R, size) to (R, O, D), the bias the last column."""
        weight = flat[:, : self.rows * self.columns].view(-1, self.rows, self.columns)
        if not self.bias:
            return weight
        return torch.cat([weight, flat[:, self.rows * self.columns :, None]], 2)

    def flat(self, joined: torch.Tensor) -> torch.Tensor:
        """The inverse of `joined`."""
        weight = joined[:, :, : self.columns].flatten(1)
        return torch.cat([weight, joined[:, :, -1]], 1) if self.bias else weight

    def places(self, given: torch.Tensor, slope: torch.Tensor) -> Pair:
        """Inputs (B, L, D) and output gradients (B, L, O) from a layer's tensors."""
        if isinstance(self.module, nn.Conv2d):
            conv = self.module
            padding = conv.padding
            assert not isinstance(padding, str)
            a = functional.unfold(given, conv.kernel_size, conv.dilation, padding, conv.stride)
            a, g = a.transpose(1, 2), slope.flatten(2).transpose(1, 2)
        else:
            a = given.reshape(len(given), -1, given.shape[-1])
            g = slope.reshape(len(slope), -1, slope.shape[-1])
        if self.bias:
            a = torch.cat([a, a.new_ones(*a.shape[:2], 1)], 2)
        return a, g


@dataclass(frozen=True)
class _Layers:
    network: nn.Module
    found: list[_Layer]
    loss: str

    def pairs(self, x: torch.Tensor, rng: torch.Generator) -> list[Pair]:
        seen: dict[str, list[Pair]] = {layer.name: [] for layer in self.found}
        with _hooked(self.found, seen), torch.enable_grad():
            like = next(self.network.parameters())
            outputs = self.network(as_floats(x, like.dtype))
            with torch.no_grad():
                if self.loss == "cross-entropy":
                    p = outputs.softmax(1)
                    drawn = torch.multinomial(p, 1, generator=rng)[:, 0]
                    slope = p - functional.one_hot(drawn, p.shape[1]).to(p)
                else:
                    slope = torch.randn(
                        outputs.shape, generator=rng, dtype=outputs.dtype, device=outputs.device
                    )
            for name, uses in seen.items():
                if len(uses) != 1:
                    raise MdeError(
                        f"EK-FAC needs each layer used once, {name} is {len(uses)} times"
                    )
            slopes = torch.autograd.grad(outputs, [uses[0][1] for uses in seen.values()], slope)
        return [
            layer.places(seen[layer.name][0][0].detach(), slope)
            for layer, slope in zip(self.found, slopes, strict=True)
        ]


@contextmanager
def _hooked(layers: list[_Layer], seen: dict[str, list[Pair]]) -> Iterator[None]:
    handles = []
    try:
        for layer in layers:

            def keep(
                module: nn.Module,
                given: tuple[torch.Tensor, ...],
                made: torch.Tensor,
                name: str = layer.name,
            ) -> torch.Tensor:
                if not made.requires_grad:  # nothing before it is differentiated
                    made = made.detach().requires_grad_()
                seen[name].append((given[0], made))
                return made

            handles.append(layer.module.register_forward_hook(keep))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _layers_of(model: Gradients) -> _Layers:
    if isinstance(model, LinearGradients):
        dense = nn.Linear(model.weight.shape[1], len(model.weight), model.bias is not None)
        dense.weight = nn.Parameter(model.weight, requires_grad=False)
        if model.bias is not None:
            dense.bias = nn.Parameter(model.bias, requires_grad=False)
        return _Layers(dense, [_Layer(dense, "the layer")], model.loss)
    if not isinstance(model, NetworkGradients):
        raise MdeError(f"EK-FAC takes networks, not {type(model).__name__}")
    paths = list(dict.fromkeys(name.rpartition(".")[0] for name in model.names))
    layers = [_Layer(model.module.get_submodule(path), path or "the model") for path in paths]
    if sum(layer.size for layer in layers) != model.size:
        raise MdeError("EK-FAC needs weight and bias of each layer, and no other parameters")
    return _Layers(model.module, layers, model.loss)


def _covariances(pair: Pair) -> Pair:
    a, g = (part.flatten(0, 1) for part in pair)
    return a.T @ a, g.T @ g


def _added(first: list[Pair], second: list[Pair]) -> list[Pair]:
    return [(a + c, b + d) for (a, b), (c, d) in zip(first, second, strict=True)]
