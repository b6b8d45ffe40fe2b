"""A round's computation, behind one interface, and the plain way to do it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Protocol

import torch

from offchain.data.imageset import Progress
from offchain.errors import SoukError
from offchain.seccl.evaluation import confusion
from offchain.seccl.parameters import ModelError
from offchain.seccl.stacked import STACK, stacked_confusions
from offchain.seccl.training import LocalData, LocalTrainer, Task, to_inputs


class EngineError(SoukError):
    """A way to compute that this machine or this model does not allow; one line for people."""


class Engine(Protocol):
    """Trains and evaluates all participants of a round.

    Made from a task, T training sets and V validation sets, which stay the same for its life. More
    training sets than participants are allowed: a poisoned copy is one more set of its owner.

    Each engine gives the same numbers each time, and all engines the same up to the rounding of
    float32 sums, which training amplifies: after 75 steps of SmallCnn the changes that two engines
    found were up to 6 % of their length apart. Confusion counts of one model are equal but for
    images on the border between two classes.
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


def check_sets(task: Task, training: Sequence[LocalData], validation: Sequence[LocalData]) -> None:
    """Check what every engine relies on.

    Raises ModelError when the model cannot be trained together, or does not take these images or
    tell these classes apart; ValueError when there are no sets, or when one differs from the first
    in the shape of its images or has a label out of range.
    """
    if not training or not validation:
        raise ValueError(
            "an engine needs a training set and a validation set, "
            f"not {len(training)} and {len(validation)}"
        )
    shape = tuple(training[0].images.shape[1:])
    for part in (*training, *validation):
        if tuple(part.images.shape[1:]) != shape or len(part.images) != len(part) or not len(part):
            raise ValueError(
                f"a set of participant {part.owner} has images {tuple(part.images.shape)} and "
                f"{len(part)} labels, the first set has images {shape}"
            )
        if int(part.labels.max()) >= task.class_count:
            raise ValueError(
                f"participant {part.owner} has the label {int(part.labels.max())}, "
                f"the task has {task.class_count} classes"
            )
    trainer = LocalTrainer(task)
    with torch.no_grad():
        logits = trainer.model.eval()(to_inputs(training[0].images[:1]))
    if tuple(logits.shape) != (1, task.class_count):
        raise ModelError(
            f"the model makes {tuple(logits.shape)} of an image, not (1, {task.class_count}): "
            "one number for each class"
        )


def engine_name(way: str, channels_last: bool, stacked: bool) -> str:
    """What an engine calls itself; `choose.engine_named` reads it."""
    return way + ", channels last" * channels_last + ", stacked" * stacked


def evaluated_together(
    models: torch.Tensor, stacked: bool, workers: int = 1
) -> tuple[torch.Tensor, ...]:
    """The models, float32 (K, P), in parts for one pass each: about as many for every worker."""
    parts = workers * math.ceil(len(models) / (STACK * workers)) if stacked else len(models)
    return torch.tensor_split(models, min(parts, len(models)))


def gathered(
    parts: Iterable[torch.Tensor], total: int, progress: Progress | None, dim: int = 0
) -> torch.Tensor:
    """The results, as they come, in one tensor of length `total` along `dim`."""
    results: list[torch.Tensor] = []
    done = 0
    for part in parts:
        results.append(part)
        done += part.shape[dim]
        if progress is not None:
            progress(done, total)
    return torch.cat(results, dim)


class LoopEngine:
    """One participant after the other: the reference for all other engines."""

    def __init__(
        self,
        task: Task,
        training: Sequence[LocalData],
        validation: Sequence[LocalData],
        channels_last: bool = False,
        stacked: bool = False,
    ) -> None:
        """stacked: evaluate several models in one pass, which only a CPU gains by.

        See `check_sets` for what is refused. Raises EngineError when the model cannot be stacked,
        or shall be on another device than a CPU.
        """
        check_sets(task, training, validation)
        self.name = engine_name("loop", channels_last, stacked)
        self._task = task
        self._training = list(training)
        self._validation = list(validation)
        self._trainer = LocalTrainer(task, channels_last)
        self._stacked = stacked
        if stacked:
            self._check_stack()

    def train(
        self,
        start: torch.Tensor,
        round_: int,
        sets: Sequence[int] | None = None,
        progress: Progress | None = None,
    ) -> torch.Tensor:
        """Trains one set after the other; as `Engine` has it."""
        chosen = range(len(self._training)) if sets is None else sets
        changes = (self.train_one(start, round_, number).unsqueeze(0) for number in chosen)
        return gathered(changes, len(chosen), progress)

    def train_one(self, start: torch.Tensor, round_: int, number: int) -> torch.Tensor:
        """What training on one set changes, float32 (P,)."""
        return self._trainer.train(start.to(self._task.device), round_, self._training[number])

    def confusions(self, models: torch.Tensor, progress: Progress | None = None) -> torch.Tensor:
        """Evaluates one model after the other, or several in one pass; as `Engine` has it."""
        parts = evaluated_together(models, self._stacked)
        return gathered(map(self.confusions_together, parts), len(models), progress, dim=1)

    def confusions_together(self, models: torch.Tensor) -> torch.Tensor:
        """Counts int64 (V, K, C, C), on the CPU, of a few models float32 (K, P)."""
        trainer, classes = self._trainer, self._task.class_count
        if len(models) > 1:
            return stacked_confusions(
                trainer.model, models, self._validation, classes, trainer.memory_format
            )
        trainer.layout.load(trainer.model, models[0].to(self._task.device))
        counts = [
            confusion(trainer.model, part, classes, trainer.memory_format)
            for part in self._validation
        ]
        return torch.stack(counts).unsqueeze(1).cpu()

    def close(self) -> None:
        """Do nothing: there are no workers to end."""

    def _check_stack(self) -> None:
        if self._task.device.type != "cpu":
            raise EngineError(f"models are stacked on the CPU, not on {self._task.device}")
        trainer, part = self._trainer, self._validation[0]
        one = LocalData(part.owner, part.images[:1], part.labels[:1])
        models = trainer.layout.flat(trainer.model).repeat(2, 1)
        try:
            stacked_confusions(
                trainer.model, models, [one], self._task.class_count, trainer.memory_format
            )
        # NotStackable, or what torch raises when shapes fit one model but not several.
        except RuntimeError as error:
            raise EngineError(f"the model cannot be stacked: {error}") from error
