"""A round's computation, behind one interface, and the plain way to do it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch

from offchain.data.imageset import Progress
from offchain.seccl.evaluation import confusion, macro_f
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

        start: global model, float32 (P,). sets: numbers in [0, T), all T when not given.
        progress: called as (sets done, sets). Returns float32 (len(sets), P) on the task's device.
        """

    def evaluate(self, models: torch.Tensor, progress: Progress | None = None) -> torch.Tensor:
        """Macro F-score of each of `models`, float32 (K, P), on each validation set.

        Returns float64 (V, K) on the CPU: row i is what the owner of validation set i finds.
        progress: called as (models done, models).
        """

    def confusions(self, models: torch.Tensor, progress: Progress | None = None) -> torch.Tensor:
        """Confusion counts int64 (V, K, C, C) on the CPU, [.., true class, predicted class]."""

    def close(self) -> None:
        """Free what the engine holds; it is not used afterwards."""


class LoopEngine:
    """One participant after the other: the reference for all other engines."""

    name = "loop"

    def __init__(
        self, task: Task, training: Sequence[Samples], validation: Sequence[Samples]
    ) -> None:
        """Raises ModelError when the model cannot be trained together."""
        self._task = task
        self._training = list(training)
        self._validation = list(validation)
        self._trainer = LocalTrainer(task)

    def train(
        self,
        start: torch.Tensor,
        round_: int,
        sets: Sequence[int] | None = None,
        progress: Progress | None = None,
    ) -> torch.Tensor:
        """See `Engine.train`."""
        chosen = range(len(self._training)) if sets is None else sets
        start = start.to(self._task.device)
        changes = []
        for done, number in enumerate(chosen, 1):
            changes.append(self._trainer.train(start, round_, self._training[number]))
            if progress is not None:
                progress(done, len(chosen))
        return torch.stack(changes)

    def evaluate(self, models: torch.Tensor, progress: Progress | None = None) -> torch.Tensor:
        """See `Engine.evaluate`."""
        return macro_f(self.confusions(models, progress))

    def confusions(self, models: torch.Tensor, progress: Progress | None = None) -> torch.Tensor:
        """See `Engine.confusions`."""
        classes, columns = self._task.class_count, []
        for done, flat in enumerate(models.to(self._task.device), 1):
            self._trainer.layout.load(self._trainer.model, flat)
            columns.append(
                torch.stack(
                    [confusion(self._trainer.model, part, classes) for part in self._validation]
                )
            )
            if progress is not None:
                progress(done, len(models))
        return torch.stack(columns, dim=1).cpu()

    def close(self) -> None:
        """Nothing is held."""
