"""EK-FAC: the Gauss-Newton matrix of dense and convolutional layers by Kronecker factors.

George et al., "Fast approximate natural gradient descent in a Kronecker-factored eigenbasis",
NeurIPS 2018; for influence functions Grosse et al., 2023. Each layer by itself: the eigenvectors of
the covariances of its inputs and of its output gradients, and in that basis the mean square of the
gradients as eigenvalues. Batch norm in evaluation mode is an affine map by channel: the block of
its scales and shifts is kept whole. Labels are drawn from the model, so it is the true Fisher
matrix.
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
from offchain.mde.ekfac_blocks import Block, block_of
from offchain.mde.errors import MdeError, SingularHessian, TooLarge
from offchain.mde.gradients import Gradients, LinearGradients, NetworkGradients
from offchain.mde.samples import as_floats
from offchain.mde.solvers import Products, Solution, residual_of

PASSES = 2
"""Times that the data are gone through for each group of layers."""

Uses = dict[str, list[tuple[torch.Tensor, torch.Tensor, int]]]
"""By layer: what it was given and what it made, each time; and the version of the former."""


@dataclass(frozen=True)
class Ekfac:
    """The solver's settings.

    draws: labels drawn from the model per sample. seed: of the draws. memory: most bytes that the
    factors may take at a time; layers whose factors do not fit together are worked on one group
    after another, which goes through the data twice for each.
    """

    draws: int = 1
    seed: int = 0
    memory: int = 2 << 30

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise MdeError(f"draws must be 1 or more, not {self.draws}")

    def plan(self, model: Gradients, inputs: torch.Tensor, samples: int, ridge: float) -> Plan:
        """What there is to do for `samples`, before anything long is: the first of `inputs` goes
        through the model.

        Raises SingularHessian without a ridge, TooLarge where one layer's factors do not fit, and
        an MdeError for layers of another kind.
        """
        if ridge == 0:
            raise SingularHessian("EK-FAC has eigenvalues of 0: state a damping above 0")
        network, blocks = _blocks_of(model)
        with _hooked(blocks) as seen, torch.enable_grad():
            network(as_floats(inputs[:1], model.like.dtype))
        for block in blocks:
            if len(uses := seen[block.name]) != 1:
                raise MdeError(
                    f"EK-FAC needs each layer used once, {block.name} is {len(uses)} times"
                )
            block.expect(*uses[0][:2], self.draws * samples)
            if block.memory > self.memory:
                raise TooLarge(
                    f"EK-FAC's factors of {block.name} take {block.memory / 2**20:.1f} MiB, "
                    f"{self.memory / 2**20:.1f} MiB are allowed"
                )
        groups: list[list[Block]] = [[]]
        for block in blocks:
            if sum(one.memory for one in groups[-1]) + block.memory > self.memory:
                groups.append([])
            groups[-1].append(block)
        return Plan(network, model.loss, groups, model.batch(inputs))

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
        Raises what `plan` raises.
        """
        plan = self.plan(model, inputs, len(inputs), ridge)
        samples = self.draws * len(inputs)
        passes, done = PASSES * len(plan.groups), 0
        x, start = torch.empty_like(b), 0
        for blocks in plan.groups:
            for block in blocks:
                block.begin(b)
            for turn in range(PASSES):
                for count, tensors in self._tensors(plan, blocks, inputs):
                    for block, (given, slope) in zip(blocks, tensors, strict=True):
                        (block.second if turn else block.first)(given, slope)
                    done += count
                    if progress is not None:
                        progress(done, passes * samples)
                if not turn:
                    for block in blocks:
                        block.turn()
            for block in blocks:
                end = start + block.size
                x[:, start:end] = block.solve(b[:, start:end], samples, ridge)
                start = end
        residual = residual_of(products, b[:1], x[:1])
        return Solution(x, residual, passes * self.draws, {"converged": 1.0})

    def _tensors(
        self, plan: Plan, blocks: list[Block], inputs: torch.Tensor
    ) -> Iterator[tuple[int, list[tuple[torch.Tensor, torch.Tensor]]]]:
        """Samples, and the inputs and output gradients of `blocks`, batch by batch; the same labels
        each time."""
        rng = torch.Generator(device=inputs.device)
        rng.manual_seed(int(generator(self.seed, "mde ekfac").integers(2**62)))
        for _ in range(self.draws):
            for x in torch.split(inputs, plan.batch):
                yield len(x), plan.tensors(blocks, x, rng)


@dataclass(frozen=True)
class Plan:
    """groups: of blocks, one after another, in the order of the parameters. batch: samples that go
    through the network at a time."""

    network: nn.Module
    loss: str
    groups: list[list[Block]]
    batch: int

    @property
    def blocks(self) -> list[Block]:
        """All of them."""
        return [block for group in self.groups for block in group]

    @property
    def memory(self) -> int:
        """Most bytes that factors take."""
        return max(sum(block.memory for block in group) for group in self.groups)

    def tensors(
        self, blocks: list[Block], x: torch.Tensor, rng: torch.Generator
    ) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """What each layer is given, and the gradient of what it makes, for labels drawn."""
        with _hooked(blocks) as seen, torch.enable_grad():
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
            made = [seen[block.name][0][1] for block in blocks]
            slopes = torch.autograd.grad(outputs, made, slope)
        given = []
        for block in blocks:
            tensor, _, version = seen[block.name][0]
            if tensor._version != version:
                raise MdeError(f"EK-FAC needs what {block.name} is given: it is overwritten later")
            given.append(tensor)
        return list(zip(given, slopes, strict=True))


@contextmanager
def _hooked(blocks: list[Block]) -> Iterator[Uses]:
    """Meanwhile what passes through the blocks' layers is kept."""
    handles, found = [], Uses({block.name: [] for block in blocks})
    try:
        for block in blocks:

            def keep(
                module: nn.Module,
                given: tuple[torch.Tensor, ...],
                made: torch.Tensor,
                name: str = block.name,
            ) -> torch.Tensor:
                if not made.requires_grad:  # nothing before it is differentiated
                    made = made.detach().requires_grad_()
                found[name].append((given[0].detach(), made, given[0]._version))
                # Another tensor: what follows may work in its place, as ReLU does.
                return made.clone()

            handles.append(block.module.register_forward_hook(keep))
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _blocks_of(model: Gradients) -> tuple[nn.Module, list[Block]]:
    if isinstance(model, LinearGradients):
        dense = nn.Linear(model.weight.shape[1], len(model.weight), model.bias is not None)
        dense.weight = nn.Parameter(model.weight, requires_grad=False)
        if model.bias is not None:
            dense.bias = nn.Parameter(model.bias, requires_grad=False)
        return dense, [block_of(dense, "the layer")]
    if not isinstance(model, NetworkGradients):
        raise MdeError(f"EK-FAC takes networks, not {type(model).__name__}")
    paths = list(dict.fromkeys(name.rpartition(".")[0] for name in model.names))
    blocks = [block_of(model.module.get_submodule(path), path or "the model") for path in paths]
    if sum(block.size for block in blocks) != model.size:
        raise MdeError("EK-FAC needs weight and bias of each layer, and no other parameters")
    return model.module, blocks
