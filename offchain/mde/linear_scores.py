"""A set's score by a linear layer as an inner product: of what its buyer knows with what a seller
computes of its own samples.

With cross-entropy the seller must be shown the layer: it adds up gradients, which are residuals
times features, and the buyer's part is the direction. With squared loss residuals are linear in the
outputs too, so that the score is linear in the samples' second moments, and the layer goes into the
buyer's part: then a seller need know nothing but classes and features.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from offchain.mde.gradients import LinearGradients, data_of
from offchain.mde.losses import residuals
from offchain.mde.samples import Floats, Kind, Samples, as_floats

_VALUES = 1 << 22
"""Numbers that the outputs, or the features, of samples prepared at a time may fill."""


@dataclass(frozen=True, eq=False)
class GradientSum:
    """The sum of samples' gradients of a layer, in double precision, that its seller is shown."""

    layer: LinearGradients

    @property
    def size(self) -> int:
        """P, how many numbers there are."""
        return self.layer.size

    def of(self, samples: Samples) -> Floats:
        """float64 (P,)."""
        total = torch.zeros(self.size, dtype=torch.float64)
        for part in _in_parts(samples, max(self.layer.weight.shape)):
            inputs, labels = data_of(self.layer, part)
            total += len(part) * self.layer.gradient(inputs, labels)
        summed: Floats = total.numpy()
        return summed

    def lengths(self, samples: Samples) -> Floats:
        """float64 (N,): the most that the length of each sample's part may be, under any label."""
        inputs, labels = data_of(self.layer, samples)
        outputs = self.layer.outputs(inputs)
        longest = torch.zeros(len(samples), dtype=torch.float64)
        for label in range(self.layer.classes):
            slopes = residuals(outputs, torch.full_like(labels, label), self.layer.loss)
            longest = torch.maximum(longest, slopes.norm(dim=1))
        reach: Floats = (longest * (inputs.square().sum(1) + 1).sqrt()).numpy()
        return reach


@dataclass(frozen=True)
class Moments:
    """Sums over samples of products of two features, 1 among them, and of features by class."""

    kind: Kind

    @property
    def size(self) -> int:
        """P: (D + 1) (D + 2) / 2 products, and D + 1 sums for each class."""
        width = math.prod(self.kind.shape) + 1
        return width * (width + 1) // 2 + self.kind.classes * width

    def of(self, samples: Samples) -> Floats:
        """float64 (P,)."""
        width = math.prod(self.kind.shape) + 1
        products = torch.zeros(width, width, dtype=torch.float64)
        sums = torch.zeros(self.kind.classes, width, dtype=torch.float64)
        for part in _in_parts(samples, width):
            x = _with_one(part)
            products += x.T @ x
            sums.index_add_(0, part.labels, x)
        upper = torch.triu_indices(width, width)
        summed: Floats = torch.cat([products[upper[0], upper[1]], sums.flatten()]).numpy()
        return summed

    def against(self, direction: Floats, weight: torch.Tensor, bias: torch.Tensor) -> Floats:
        """float64 (P,): what the moments are multiplied with, for the score.

        The score is <D, sum of (W x - y) x'> = <W' D, sum of x x'> - <D, sum of y x'>, y one-hot,
        and the first matrix may be made symmetric.
        """
        width, classes = math.prod(self.kind.shape) + 1, self.kind.classes
        layer = torch.cat([weight.double(), bias.double()[:, None]], 1)
        flat = torch.from_numpy(direction)
        count = classes * (width - 1)
        slope = torch.cat([flat[:count].view(classes, -1), flat[count:, None]], 1)
        both = layer.T @ slope
        both = both + both.T
        both.diagonal().mul_(0.5)
        upper = torch.triu_indices(width, width)
        made: Floats = torch.cat([both[upper[0], upper[1]], -slope.flatten()]).numpy()
        return made

    def lengths(self, samples: Samples) -> Floats:
        """float64 (N,): the most that the length of each sample's part may be."""
        square = _with_one(samples).square().sum(1)
        reach: Floats = (square * square + square).sqrt().numpy()
        return reach


def _in_parts(samples: Samples, values: int) -> Iterator[Samples]:
    """A few at a time: `values` is a stranger's number, and so may be large."""
    for rows in torch.split(torch.arange(len(samples)), max(1, _VALUES // values)):
        yield samples.subset(rows)


def _with_one(samples: Samples) -> torch.Tensor:
    x = as_floats(samples.inputs, torch.float64).flatten(1)
    return torch.cat([x, torch.ones(len(x), 1, dtype=torch.float64)], 1)
