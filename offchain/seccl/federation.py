"""Rounds of collaborative training without a chain: train, share, judge, elect, combine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from offchain.data.imageset import Progress
from offchain.seccl.engine import Engine
from offchain.seccl.evaluation import accuracy, confusion, macro_f
from offchain.seccl.parameters import model_digest
from offchain.seccl.training import LocalData, LocalTrainer, Task
from offchain.seccl.updates import (
    SparseUpdate,
    UpdateHeader,
    applied,
    encode_update,
    largest_changes,
    mean_update,
)

Consensus = Callable[[torch.Tensor], Sequence[int]]
"""Elects from a round's evaluations, float64 (V, K), [voter, candidate], the winners: distinct
numbers in [0, K). Row i is participant i's, and holds what it thinks of itself too."""

Aggregate = Callable[[Sequence[SparseUpdate]], torch.Tensor]
"""The change of the global model, float32 (P,), made of the winners' updates."""


@dataclass(frozen=True, eq=False)
class RoundResult:
    """What one round gave.

    number: counted from 0. accuracy: of the global model after it, on the test set.
    winners: candidates whose updates entered. scores: float64 (V, K), [voter, candidate].
    sent: bytes of each candidate's message.
    """

    number: int
    accuracy: float
    winners: tuple[int, ...]
    scores: torch.Tensor
    sent: tuple[int, ...]


class Federation:
    """A global model and the rounds that improve it."""

    def __init__(
        self,
        task: Task,
        engine: Engine,
        test: LocalData,
        consensus: Consensus,
        start: torch.Tensor,
        aggregate: Aggregate = mean_update,
    ) -> None:
        """start: the first global model, float32 (P,), as `initial_model` makes it."""
        self._task = task
        self._engine = engine
        self._judge = Judge(task, test)
        self._consensus = consensus
        self._aggregate = aggregate
        self.model = start.to(task.device)
        self.history: list[RoundResult] = []

    def propose(
        self, sets: Sequence[int] | None = None, progress: Progress | None = None
    ) -> list[SparseUpdate]:
        """What every participant trains and shares in the coming round.

        sets: the training set that each participant uses; all of the engine's unless given.
        """
        changes = self._engine.train(self.model, len(self.history), sets, progress)
        return largest_changes(changes, self._task.settings.share)

    def finish(self, updates: Sequence[SparseUpdate]) -> RoundResult:
        """Judge the updates, elect and combine: the rest of the round."""
        number = len(self.history)
        scores = macro_f(self._engine.confusions(applied(self.model, updates)))
        winners = tuple(self._consensus(scores))
        if not winners or len(set(winners)) < len(winners):
            raise ValueError(f"a consensus names distinct winners, at least one, not {winners}")
        name = model_digest(self._judge.layout, self.model)
        sent = tuple(
            len(encode_update(update, UpdateHeader(number, str(author), name)))
            for author, update in enumerate(updates)
        )
        change = self._aggregate([updates[winner] for winner in winners])
        self.model = self.model + change.to(self.model.device)
        record = RoundResult(number, self._judge.accuracy(self.model), winners, scores, sent)
        self.history.append(record)
        return record

    def run(self, rounds: int, progress: Progress | None = None) -> list[RoundResult]:
        """So many more rounds; `progress` is called as (rounds done, rounds)."""
        for done in range(rounds):
            self.finish(self.propose())
            if progress is not None:
                progress(done + 1, rounds)
        return self.history


class Judge:
    """Accuracy on a test set that no participant trains on."""

    def __init__(self, task: Task, test: LocalData) -> None:
        trainer = LocalTrainer(task, channels_last=True)
        self.layout = trainer.layout
        self._model = trainer.model
        self._format = trainer.memory_format
        self._classes = task.class_count
        self._test = test

    def accuracy(self, flat: torch.Tensor) -> float:
        """Share of the test set that the model `flat` (P,) classifies rightly."""
        self.layout.load(self._model, flat)
        return float(accuracy(confusion(self._model, self._test, self._classes, self._format)))


def central_baseline(
    task: Task, everything: LocalData, test: LocalData, rounds: int, start: torch.Tensor
) -> list[float]:
    """Accuracy after each of `rounds` rounds of local training on all images in one place.

    The paper's baseline: the same settings, no sharing, no sparse part, no election.
    """
    trainer, judge, model, curve = (
        LocalTrainer(task, channels_last=True),
        Judge(task, test),
        start,
        [],
    )
    for number in range(rounds):
        model = model + trainer.train(model, number, everything)
        curve.append(judge.accuracy(model))
    return curve
