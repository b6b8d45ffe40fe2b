"""The model owner: its model, the artefact that it prices data with, and what data truly did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn import functional

from offchain.data.imageset import Progress
from offchain.data.seeds import generator
from offchain.mde.artefact import artefact_bytes
from offchain.mde.compression import CompressionSettings
from offchain.mde.errors import MdeError
from offchain.mde.extraction import ExtractionSettings, TreeEfficacy
from offchain.mde.influence import GradientEfficacy, InfluenceSettings
from offchain.mde.oracles import Settings, prepare
from offchain.mde.partition import MarketData
from offchain.mde.pricing import Piecewise, PriceFunction, units
from offchain.mde.samples import Samples, Task, as_floats
from offchain.mde.students import Distilled, dense_network

METHODS: dict[str, Settings] = {
    "tree": ExtractionSettings(points=5_000),
    "student": CompressionSettings(student=Distilled(), linearised=True),
    "influence": InfluenceSettings(),
}
"""How an owner may value data: those whose oracle fits into an artefact."""

_USEFUL, _HARMFUL = 0.01, 0.025
"""Scores above nothing by less than the first share of the best are taken for nothing, and below it
by less than the second: where a contract checks scores, what harms counts in redundant data too."""


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


@dataclass(frozen=True)
class Standing:
    """How good a model is on the test set: mean loss in nats, and accuracy, a share of 1."""

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Gain:
    """What training on more data brought: nats of loss less, share of accuracy more."""

    loss: float
    accuracy: float


@dataclass(frozen=True, eq=False)
class Owner:
    """A model owner with what it bought so far. test: which nobody sees, to measure gains by."""

    task: Task
    test: Samples
    trainer: Trainer
    model: nn.Module

    @classmethod
    def of(cls, data: MarketData, trainer: Trainer | None = None) -> Owner:
        """The owner of a market, its model trained."""
        trainer = trainer or Trainer()
        task = Task(data.train, data.validation, data.classes, trainer.l2)
        return cls(task, data.test, trainer, trainer.fit(data.train, data.classes))

    def with_bought(self, bought: Sequence[Samples]) -> Owner:
        """The owner after training anew on all that it has."""
        train = self.task.train
        for more in bought:
            self.task.check(more)
            train = train.joined(more)
        task = Task(train, self.task.validation, self.task.classes, self.task.l2)
        model = self.trainer.fit(train, task.classes) if bought else self.model
        return Owner(task, self.test, self.trainer, model)

    def standing(self) -> Standing:
        """On the test set."""
        outputs = self.model(as_floats(self.test.inputs))
        right = outputs.argmax(1) == self.test.labels
        loss = functional.cross_entropy(outputs, self.test.labels)
        return Standing(float(loss), float(right.double().mean()))

    def gain(self, bought: Sequence[Samples]) -> Gain:
        """What really training on `bought` brings, on the test set."""
        before, after = self.standing(), self.with_bought(bought).standing()
        return Gain(before.loss - after.loss, after.accuracy - before.accuracy)

    def oracle(
        self, settings: Settings, progress: Progress | None = None
    ) -> TreeEfficacy | GradientEfficacy:
        """The oracle of an artefact. Raises MdeError where the method has none that fits."""
        made = prepare(self.model, self.task, settings, progress=progress)
        if not isinstance(made, (TreeEfficacy, GradientEfficacy)):
            raise MdeError(f"{type(settings).__name__} of this kind fit into no artefact")
        return made


@dataclass(frozen=True)
class Purse:
    """What the owner would pay for one set at most, and what for data that changes nothing; wei."""

    most: int
    floor: int

    def function(
        self, oracle: TreeEfficacy | GradientEfficacy, owner: Owner, samples: int
    ) -> PriceFunction:
        """Prices fixed before any data is known, by what the owner has itself.

        The most is paid for a set as good as the `samples` best of the owner's own validation
        data; up to there the price rises with the score in a straight line.
        """
        scores = oracle.report(owner.task.validation).scores
        best = units(float(sum(sorted(scores.tolist())[-samples:])))
        if best <= 0:
            raise MdeError("no validation sample would help the model: nothing is worth buying")
        line = Piecewise(((0, self.floor), (best, self.most)))
        harmful, useful = -max(1, int(_HARMFUL * best)), max(1, int(_USEFUL * best))
        return PriceFunction(line, self.most, self.floor, harmful=harmful, useful=useful)


@dataclass(frozen=True, eq=False)
class Published:
    """What the owner publishes: the artefact file, and the price function in it."""

    file: bytes = field(repr=False)
    price: PriceFunction

    @classmethod
    def of(
        cls,
        owner: Owner,
        settings: Settings,
        purse: Purse,
        samples: int,
        progress: Progress | None = None,
    ) -> Published:
        """An artefact of the owner's model as it is. samples: see `Purse.function`."""
        oracle = owner.oracle(settings, progress)
        price = purse.function(oracle, owner, samples)
        return cls(artefact_bytes(oracle, price), price)
