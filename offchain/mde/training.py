"""How a model owner trains its model."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from offchain.data.seeds import generator
from offchain.mde.samples import Samples, as_floats
from offchain.mde.students import dense_network


@dataclass(frozen=True)
class Trainer:
    """How the owner trains: to the optimum, by L-BFGS.

    hidden: widths of hidden layers; none is softmax regression, whose optimum is one. l2: weight of
    the squared parameters, as `Task.l2`. steps: at most.
    """

    hidden: tuple[int, ...] = ()
    l2: float = 1e-3
    steps: int = 200
    seed: int = 0

    def fit(self, samples: Samples, classes: int) -> nn.Module:
        """A model of flattened inputs, on the CPU."""
        x = as_floats(samples.inputs).flatten(1)
        rng = None
        if self.hidden:
            rng = torch.Generator().manual_seed(
                int(generator(self.seed, "mde owner").integers(2**62))
            )
        module = dense_network(x.shape[1], self.hidden, classes, rng)
        parameters = list(module.parameters())
        optimiser = torch.optim.LBFGS(
            parameters,
            max_iter=self.steps,
            history_size=20,
            line_search_fn="strong_wolfe",
            tolerance_grad=1e-5,
        )

        def closure() -> torch.Tensor:
            optimiser.zero_grad()
            size = torch.stack([p.square().sum() for p in parameters]).sum()
            loss = functional.cross_entropy(module(x), samples.labels) + self.l2 / 2 * size
            torch.autograd.backward(loss)
            return loss

        optimiser.step(closure)  # type: ignore[no-untyped-call, unused-ignore]
        return module.eval().requires_grad_(False)
