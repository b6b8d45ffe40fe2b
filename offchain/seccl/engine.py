"""A round's computation, behind one interface, and the plain way to do it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch

from offchain.data.imageset import Progress
from offchain.seccl.evaluation import confusion
from offchain.seccl.training import LocalTrainer, Samples, Task


class Engine(Protocol):
    """Trains and evaluates all participants of a round.

    Made from a task, T training sets and V validation sets, which stay the same for its life. More
    training sets than participants are allowed: a poisoned copy is one more set of its owner. All
    engines give the same numbers up to the rounding of float32 sums.
    """

    name: str

    def train(
        self,
        start: torch.Tensor,
        round_: int,
        sets: Sequence[int] | None = None,
        progress: Progress | None = None,
    ) -> torch.Tensor:
        """What local training on each of the training sets `sets` changes in `start`.

        start: global model, float32 (P,). sets: numbers in [0, T), at least one; all T when not
        given. progress: called as (sets done, sets). Returns float32 (len(sets), P) on the task's
        device.
        """

    def confusions(self, models: torch.Tensor, progress: Progress | None = None) -> torch.Tensor:
        """What each of `models`, float32 (K, P), predicts on each validation set.

        Returns counts int64 (V, K, C, C) on the CPU, [voter, candidate, true class, predicted
        class]; `evaluation.macro_f` makes the scores float64 (V, K) of them.
        progress: called as (models done, models).
        """

    def close(self) -> None:
        """Free what the engine holds; it is not used afterwards."""


class LoopEngine:
    """One participant after the other: the reference for all other engines."""

    def __init__(
        self,
        task: Task,
        training: Sequence[Samples],
        validation: Sequence[Samples],
        channels_last: bool = False,
    ) -> None:
        """Raises ModelError when the model cannot be trained together."""
        self.name = "loop, channels last" if channels_last else "loop"
        self._task = task
        self._training = list(training)
        self._validation = list(validation)
        self._trainer = LocalTrainer(task, channels_last)

    def train(
        self,
        start: torch.Tensor,
        round_: int,
        sets: Sequence[int] | None = None,
        progress: Progress | None = None,
    ) -> torch.Tensor:
        """See `Engine.train`."""
        chosen = range(len(self._training)) if sets is None else sets
        changes = []
        for done, number in enumerate(chosen, 1):
            changes.append(self.train_one(start, round_, number))
            if progress is not None:
                progress(done, len(chosen))
        return torch.stack(changes)

    def train_one(self, start: torch.Tensor, round_: int, number: int) -> torch.Tensor:
        """What training on one set changes, float32 (P,)."""
        return self._trainer.train(start.to(self._task.device), round_, self._training[number])

    def confusions(self, models: torch.Tensor, progress: Progress | None = None) -> torch.Tensor:
        """See `Engine.confusions`."""
        columns = []
        for done, model in enumerate(models, 1):
            columns.append(self.confusions_one(model))
            if progress is not None:
                progress(done, len(models))
        return torch.stack(columns, dim=1)

    def confusions_one(self, model: torch.Tensor) -> torch.Tensor:
        """Counts int64 (V, C, C), on the CPU, of the model float32 (P,)."""
        trainer = self._trainer
        trainer.layout.load(trainer.model, model.to(self._task.device))
        counts = [
            confusion(trainer.model, part, self._task.class_count, trainer.memory_format)
            for part in self._validation
        ]
        return torch.stack(counts).cpu()

    def close(self) -> None:
        """Nothing is held."""
