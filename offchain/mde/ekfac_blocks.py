"""The blocks of EK-FAC's Gauss-Newton matrix, one for each layer: what is kept, and its inverse.

A block sees its layer's inputs and output gradients batch by batch, twice: `first` for the basis,
`second` for the eigenvalues in it. Places of a picture are unfolded a few at a time, so that no
more than `VALUES` numbers are held beside the factors themselves, whatever the picture's size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

from offchain.mde.errors import MdeError

VALUES = 1 << 22
"""Numbers unfolded or multiplied out at a time: 16 MiB in float32."""

Pair = tuple[torch.Tensor, torch.Tensor]
"""Inputs (B, L, D), a 1 appended where a layer has a bias, and output gradients (B, L, O), over L
places where the layer is applied."""

_SQUARED = 100
"""Multiplications in products of matrices that take as long as to square and add a number."""

_DOUBLES = 5
"""Matrices in float64 that an eigenvalue decomposition holds beside the one in float32."""


class Block(Protocol):
    """The block of one layer."""

    name: str
    module: nn.Module

    @property
    def size(self) -> int:
        """Parameters of the layer, its weight before its bias."""
        ...

    def expect(self, given: torch.Tensor, made: torch.Tensor, uses: int) -> None:
        """How large its tensors are, from those of one sample, of which there will be `uses`."""
        ...

    @property
    def memory(self) -> int:
        """Most bytes that it holds, once `expect` was called."""
        ...

    def work(self) -> tuple[float, float]:
        """Multiplications of matrices for each use, and cubes of the sizes that are decomposed."""
        ...

    def begin(self, like: torch.Tensor) -> None:
        """Before the first batch."""
        ...

    def first(self, given: torch.Tensor, slope: torch.Tensor) -> None:
        """A batch's inputs and output gradients."""
        ...

    def turn(self) -> None:
        """After the last of the first."""
        ...

    def second(self, given: torch.Tensor, slope: torch.Tensor) -> None:
        """The same batches again."""
        ...

    def solve(self, b: torch.Tensor, total: int, ridge: float) -> torch.Tensor:
        """(R, size): the inverse of the block plus `ridge` times `b`; it holds nothing after.

        total: samples times draws, over which the block is a mean.
        """
        ...


def block_of(module: nn.Module, name: str) -> Block:
    """Raises MdeError for a layer that EK-FAC does not take."""
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        return Scales(module, name)
    return Kronecker(module, name)


class Kronecker:
    """A dense or convolutional layer, its weight and bias as one matrix (O, D).

    Where all uses together are fewer than D, as a deep convolution's on small pictures, its inputs
    span no more than that: the basis is of their span, and outside it all gradients are 0.
    """

    def __init__(self, module: nn.Module, name: str) -> None:
        plain = isinstance(module, nn.Linear)
        if not plain and not (
            isinstance(module, nn.Conv2d)
            and module.groups == 1
            and module.padding_mode == "zeros"
            and not isinstance(module.padding, str)
        ):
            raise MdeError(
                "EK-FAC takes dense and plain convolutional layers, and batch norm, "
                f"{name} is none of them"
            )
        self.module, self.name = module, name
        weight = module.weight
        assert isinstance(weight, torch.Tensor)
        self.rows, self.columns = weight.shape[0], weight[0].numel()
        self.bias = module.bias is not None
        self.places, self.rank, self._held = 1, self.width, 0
        self._inputs: torch.Tensor
        self._slopes: torch.Tensor
        self._squares: torch.Tensor

    @property
    def width(self) -> int:
        """D, of the inputs with the bias."""
        return self.columns + self.bias

    @property
    def size(self) -> int:
        return self.rows * self.width

    def expect(self, given: torch.Tensor, made: torch.Tensor, uses: int) -> None:
        self.places = made.numel() // (len(made) * self.rows)
        self.rank = min(self.width, uses * self.places)

    @property
    def memory(self) -> int:
        kept = self.rank * self.width + self.rows**2 + self.rank * self.rows
        decomposed = max(self.rank, self.rows) ** 2
        spanned = 2 * self.rank * self.width if self.rank < self.width else 0
        return 4 * (kept + spanned) + 8 * _DOUBLES * decomposed

    def work(self) -> tuple[float, float]:
        d, o, r, many = self.width, self.rows, self.rank, self.places
        few = min(many, o)  # rotated are places, or a sample's own gradient, whichever are fewer
        products = many * (d * r + o * o) + many * o * d + few * (d * r + o * o)
        products += _SQUARED * o * r if many > 1 else 0
        return float(products), float(r**3 + o**3)

    def begin(self, like: torch.Tensor) -> None:
        self._inputs = like.new_zeros(self.rank, self.width)
        self._slopes = like.new_zeros(self.rows, self.rows)
        self._held = 0

    def first(self, given: torch.Tensor, slope: torch.Tensor) -> None:
        for rows in self._samples(given, self.places * (self.width + self.rows)):
            for a, g in self._pieces(given[rows], slope[rows]):
                a, g = a.flatten(0, 1), g.flatten(0, 1)
                self._slopes.addmm_(g.T, g)
                if self.rank < self.width:
                    self._inputs[self._held : self._held + len(a)] = a
                    self._held += len(a)
                else:
                    self._inputs.addmm_(a.T, a)

    def turn(self) -> None:
        if self.rank < self.width:
            span, rest = torch.linalg.qr(self._inputs.T)  # (D, r), (r, r)
            self._inputs = span @ _eigenvectors(rest @ rest.T)
        else:
            self._inputs = _eigenvectors(self._inputs)  # (D, D)
        self._slopes = _eigenvectors(self._slopes)  # (O, O)
        self._squares = self._slopes.new_zeros(self.rows, self.rank)

    def second(self, given: torch.Tensor, slope: torch.Tensor) -> None:
        over_a, over_g = self._inputs, self._slopes
        if self.places > self.rows:
            for rows in self._samples(given, self.size):
                own = over_a.new_zeros(given[rows].shape[0], self.rows, self.width)
                for a, g in self._pieces(given[rows], slope[rows]):
                    own.baddbmm_(g.transpose(1, 2), a)
                self._squares += (over_g.T @ (own @ over_a)).square_().sum(0)
            return
        for rows in self._samples(given, self.places * (self.width + self.rows)):
            for a, g in self._pieces(given[rows], slope[rows]):  # one: places are few
                a, g = a @ over_a, g @ over_g
                if self.places == 1:
                    self._squares.addmm_(g[:, 0].square().T, a[:, 0].square())
                    continue
                for some in self._samples(a, self.rows * self.rank):
                    self._squares += torch.bmm(g[some].transpose(1, 2), a[some]).square_().sum(0)

    def solve(self, b: torch.Tensor, total: int, ridge: float) -> torch.Tensor:
        over_a, over_g = self._inputs, self._slopes
        eigenvalues = self._squares / total + ridge
        x = torch.empty_like(b)
        for row in range(len(b)):
            part = self._joined(b[row])
            turned = over_g.T @ part @ over_a
            solved = over_g @ (turned / eigenvalues) @ over_a.T
            if self.rank < self.width:
                solved += (part - over_g @ turned @ over_a.T) / ridge
            x[row] = self._flat(solved)
        del self._inputs, self._slopes, self._squares
        return x

    def _joined(self, flat: torch.Tensor) -> torch.Tensor:
        """(size,) to (O, D), the bias the last column."""
        cut = self.rows * self.columns
        weight = flat[:cut].view(self.rows, self.columns)
        return torch.cat([weight, flat[cut:, None]], 1) if self.bias else weight

    def _flat(self, joined: torch.Tensor) -> torch.Tensor:
        """The inverse of `_joined`."""
        weight = joined[:, : self.columns].flatten()
        return torch.cat([weight, joined[:, -1]]) if self.bias else weight

    def _samples(self, values: torch.Tensor, each: int) -> Iterator[slice]:
        """Samples of which each takes `each` numbers, `VALUES` at a time or one by one."""
        count = max(1, VALUES // each)
        return (slice(start, start + count) for start in range(0, len(values), count))

    def _pieces(self, given: torch.Tensor, slope: torch.Tensor) -> Iterator[Pair]:
        """All places, some lines of a picture at a time; of a few samples, all at once."""
        if isinstance(self.module, nn.Conv2d):
            yield from self._unfolded(self.module, given, slope)
            return
        a = given.reshape(len(given), -1, self.columns)
        yield self._with_bias(a), slope.reshape(len(slope), -1, self.rows)

    def _unfolded(
        self, conv: nn.Conv2d, given: torch.Tensor, slope: torch.Tensor
    ) -> Iterator[Pair]:
        assert not isinstance(conv.padding, str)
        (above, beside), (step, _) = conv.padding, conv.stride
        reach = conv.dilation[0] * (conv.kernel_size[0] - 1) + 1
        padded = functional.pad(given, (beside, beside, above, above))
        height, across = slope.shape[2:]
        lines = max(1, VALUES // (len(given) * across * (self.width + self.rows)))
        for top in range(0, height, lines):
            some = slope[:, :, top : top + lines]
            part = padded[:, :, top * step : (top + some.shape[2] - 1) * step + reach]
            a = functional.unfold(part, conv.kernel_size, conv.dilation, 0, conv.stride)
            yield self._with_bias(a.transpose(1, 2)), some.flatten(2).transpose(1, 2)

    def _with_bias(self, a: torch.Tensor) -> torch.Tensor:
        return torch.cat([a, a.new_ones(*a.shape[:2], 1)], 2) if self.bias else a


class Scales:
    """Batch norm in evaluation mode, an affine map by channel: its own block, by no Kronecker
    factors, of the 2 C scales and shifts."""

    def __init__(self, module: nn.modules.batchnorm._BatchNorm, name: str) -> None:
        if module.running_mean is None or module.running_var is None:
            raise MdeError(
                f"EK-FAC takes batch norm by its running statistics, {name} keeps none: what it "
                "gives for a sample hangs on the others"
            )
        self.module: nn.Module = module
        self.name = name
        self.mean, self.channels = module.running_mean, module.num_features
        self.scale = (module.running_var + module.eps).rsqrt()
        self.places = 1
        self._matrix: torch.Tensor

    @property
    def size(self) -> int:
        return 2 * self.channels

    def expect(self, given: torch.Tensor, made: torch.Tensor, uses: int) -> None:
        self.places = made.numel() // (len(made) * self.channels)

    @property
    def memory(self) -> int:
        return (4 + 8 * _DOUBLES) * self.size**2

    def work(self) -> tuple[float, float]:
        return float(self.size**2), float(self.size**3) / 8

    def begin(self, like: torch.Tensor) -> None:
        self._matrix = like.new_zeros(self.size, self.size)

    def first(self, given: torch.Tensor, slope: torch.Tensor) -> None:
        count = max(1, VALUES // (self.channels * self.places))
        for some, back in zip(torch.split(given, count), torch.split(slope, count), strict=True):
            some, back = (t.reshape(len(t), self.channels, -1) for t in (some, back))  # (B, C, L)
            shifts = back.sum(2)
            scales = ((some * back).sum(2) - self.mean * shifts) * self.scale
            own = torch.cat([scales, shifts], 1)  # (B, 2 C)
            self._matrix.addmm_(own.T, own)

    def turn(self) -> None:
        pass

    def second(self, given: torch.Tensor, slope: torch.Tensor) -> None:
        pass

    def solve(self, b: torch.Tensor, total: int, ridge: float) -> torch.Tensor:
        matrix = self._matrix.double() / total
        matrix.diagonal().add_(ridge)
        del self._matrix
        x: torch.Tensor = torch.linalg.solve(matrix, b.double().T)
        return x.T.to(b)


def _eigenvectors(matrix: torch.Tensor) -> torch.Tensor:
    vectors: torch.Tensor = torch.linalg.eigh(matrix.double())[1]
    return vectors.to(matrix)
