"""The model owner: its model, its data, and what more data truly did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn
from torch.nn import functional

from offchain.data.imageset import Progress
from offchain.mde.errors import MdeError
from offchain.mde.extraction import TreeEfficacy
from offchain.mde.influence import GradientEfficacy
from offchain.mde.oracles import Settings, prepare
from offchain.mde.partition import Partition
from offchain.mde.samples import Samples, Task, as_floats
from offchain.mde.training import Trainer


@dataclass(frozen=True)
class Performance:
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
    def of(cls, data: Partition, trainer: Trainer | None = None) -> Owner:
        """The owner in a partition, its model trained."""
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

    def performance(self) -> Performance:
        """On the test set."""
        outputs = self.model(as_floats(self.test.inputs))
        right = outputs.argmax(1) == self.test.labels
        loss = functional.cross_entropy(outputs, self.test.labels)
        return Performance(float(loss), float(right.double().mean()))

    def gain(self, bought: Sequence[Samples]) -> Gain:
        """What really training on `bought` brings, on the test set."""
        before, after = self.performance(), self.with_bought(bought).performance()
        return Gain(before.loss - after.loss, after.accuracy - before.accuracy)

    def oracle(
        self, settings: Settings, progress: Progress | None = None
    ) -> TreeEfficacy | GradientEfficacy:
        """The oracle of an artefact. Raises MdeError where the method has none that fits."""
        made = prepare(self.model, self.task, settings, progress=progress)
        if not isinstance(made, (TreeEfficacy, GradientEfficacy)):
            raise MdeError(f"{type(settings).__name__} of this kind fit into no artefact")
        return made
