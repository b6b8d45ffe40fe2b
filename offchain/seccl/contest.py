"""Rounds in which some participants attack and a defence answers, without a chain."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from offchain.data.imageset import ImageSet
from offchain.data.seeds import generator
from offchain.seccl.attacks import TARGET_CLASS, Attack, Scene, stamped
from offchain.seccl.defences import Defence, PostedUpdates
from offchain.seccl.engine import Engine
from offchain.seccl.evaluation import macro_f
from offchain.seccl.federation import Judge
from offchain.seccl.parameters import initial_model
from offchain.seccl.partition import PrivatePart
from offchain.seccl.similarity import Copied
from offchain.seccl.training import LocalData, Task
from offchain.seccl.updates import NonFiniteValues, SparseUpdate, applied, largest_changes

EngineMaker = Callable[[Task, Sequence[LocalData], Sequence[LocalData]], Engine]
"""Makes the engine of a task, its training sets and its validation sets."""

Protect = Callable[[torch.Tensor, int], torch.Tensor]
"""(changes float32 (N, P), number of the round) -> the changes of which a part is uploaded."""


@dataclass(frozen=True)
class Played:
    """What one round gave.

    accuracy: of the global model after it, on the test set, 0 to 1. backdoor: share of the test
    images of other classes that it calls TARGET_CLASS once they bear the trigger.
    winners: whose updates entered; nobody's when training diverged and the model stayed.
    copies: what the defence took for copies.
    """

    accuracy: float
    backdoor: float
    winners: tuple[int, ...]
    copies: tuple[Copied, ...] = ()


@dataclass(frozen=True, eq=False)
class State:
    """Where a run stands; runs branch from it, for nothing in it is ever changed.

    model: float32 (P,). previous: the last round's updates, last_change: what it changed; both
    empty before the first round.
    """

    model: torch.Tensor
    history: tuple[Played, ...] = ()
    previous: tuple[SparseUpdate, ...] = ()
    last_change: torch.Tensor | None = None


class Contest:
    """Participants with their data, some of whom may attack, and the rounds they play."""

    def __init__(
        self,
        task: Task,
        parts: Sequence[PrivatePart],
        test: ImageSet,
        attacks: Sequence[Attack],
        attackers: Sequence[int],
        make_engine: EngineMaker,
        protect: Protect | None = None,
    ) -> None:
        """attacks, attackers: all that any round will have; their poisoned images are made here.

        protect: what every participant does to its change before it picks the part it uploads.
        """
        self._task, self._protect, self._count = task, protect, len(parts)
        training = [LocalData.of(part.training, i, task.device) for i, part in enumerate(parts)]
        # A poisoned copy is one more training set of its owner.
        self._poisoned: dict[tuple[str, int], int] = {}
        for attack in attacks:
            for who in attackers if attack.poison_name else ():
                key = str(attack.poison_name), who
                if key not in self._poisoned:
                    self._poisoned[key] = len(training)
                    training.append(attack.poisoned(training[who], task.class_count, task.seed))
        validation = [LocalData.of(part.validation, i, task.device) for i, part in enumerate(parts)]
        self._engine = make_engine(task, training, validation)
        samples = LocalData.of(test, 0, task.device)
        others = samples.labels != TARGET_CLASS
        marked = LocalData(
            0,
            stamped(samples.images[others]),
            torch.full_like(samples.labels[others], TARGET_CLASS),
        )
        self._judge, self._backdoor = Judge(task, samples), Judge(task, marked)

    def begin(self) -> State:
        """The state before the first round: the first model, and no history."""
        model = initial_model(self._task.factory, self._task.seed)
        return State(model.to(self._task.device))

    def play(
        self,
        state: State,
        defence: Defence,
        attack: Attack | None = None,
        attackers: Sequence[int] = (),
    ) -> State:
        """One more round.

        attackers: who plays `attack` in it; the others, and all without an attack, are honest.
        Where local training diverges, so that no update can be made, the model stays as it is.
        """
        attack, attackers = attack or Attack(), tuple(attackers)
        number, settings = len(state.history), self._task.settings
        sets = list(range(self._count))
        for who in attackers if attack.poison_name else ():
            sets[who] = self._poisoned[str(attack.poison_name), who]
        changes = self._engine.train(state.model, number, sets)
        try:
            if self._protect is not None:
                changes = self._protect(changes, number)
            scene = Scene(
                number,
                self._task.seed,
                attackers,
                tuple(largest_changes(changes, settings.share)),
                settings.share,
                state.previous,
                state.history[-1].winners if state.history else (),
                state.last_change,
            )
            updates = attack.submitted(scene)
        except NonFiniteValues:
            return self._after(state, state.model, (), (), state.previous, state.last_change)

        def ballots(copies: Sequence[Copied]) -> torch.Tensor:
            scores = macro_f(self._engine.confusions(applied(state.model, updates)))
            scores[:, [copy.author for copy in copies]] = 0
            return attack.ballots(scores, attackers)

        posted = PostedUpdates(
            updates, self._order(number, attackers), state.previous, state.last_change, ballots
        )
        decision = defence.decide(posted)
        change = decision.change.to(state.model.device)
        return self._after(
            state, state.model + change, decision.winners, decision.copies, updates, change.cpu()
        )

    def close(self) -> None:
        """End the engine's workers and free what it holds; the contest is not played afterwards."""
        self._engine.close()

    def _after(
        self,
        state: State,
        model: torch.Tensor,
        winners: tuple[int, ...],
        copies: tuple[Copied, ...],
        updates: tuple[SparseUpdate, ...],
        change: torch.Tensor | None,
    ) -> State:
        played = Played(
            self._judge.accuracy(model), self._backdoor.accuracy(model), winners, copies
        )
        return State(model, (*state.history, played), updates, change)

    def _order(self, number: int, attackers: Sequence[int]) -> list[int]:
        """Who posts when: at random, but attackers, who look at the others first, come last."""
        order = generator(self._task.seed, f"seccl posting {number}").permutation(self._count)
        return [int(i) for i in order[np.argsort(np.isin(order, attackers), kind="stable")]]
