"""Attacks against defences: a grid of runs that share what is equal, and that can be resumed.

Up to the round of the attack all runs of one seed and one defence are the same, so these rounds are
played once and every run goes on from there. Each finished run is kept; it is not played again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from offchain.data.imageset import ImageSet, Progress
from offchain.runs.finish import finish
from offchain.runs.finished import Finished
from offchain.runs.spread import Spread
from offchain.seccl.attacks import Attack, choose_attackers
from offchain.seccl.batched import BatchedEngine
from offchain.seccl.contest import Contest, EngineMaker, State
from offchain.seccl.defences import Defence
from offchain.seccl.engine import Engine, LoopEngine
from offchain.seccl.federation import central_baseline
from offchain.seccl.networks import default_factory
from offchain.seccl.parameters import initial_model
from offchain.seccl.partition import partition
from offchain.seccl.run import CENTRAL, Run, RunResult
from offchain.seccl.training import LocalData, Task

_VERSION = 3
"""Raised when equal settings no longer give equal results, so that old files are left alone."""


def default_engine(
    task: Task, training: Sequence[LocalData], validation: Sequence[LocalData]
) -> Engine:
    """The fastest on one thread of a CPU, or on a GPU.

    Always the same and not measured, since engines differ in rounding.
    """
    if task.device.type == "cuda":
        return BatchedEngine(task, training, validation)
    return LoopEngine(task, training, validation, channels_last=True, stacked=True)


def play_runs(
    runs: Sequence[Run],
    train: ImageSet,
    test: ImageSet,
    folder: Path,
    *,
    make_engine: EngineMaker = default_engine,
    device: torch.device | None = None,
    spread: Spread | None = None,
    progress: Progress | None = None,
) -> list[RunResult]:
    """The results of `runs`, in their order; those that are finished in `folder` are read from it.

    make_engine: how to train and evaluate; picklable unless all is done in this process. device:
    the CPU unless given. spread: where runs are played, in this process unless given. progress:
    called as (runs done, runs), where a stretch that runs share counts as one. Raises AttackError,
    DefenceError, DataError or ModelError.
    """
    spread = spread or Spread()
    for run in runs:
        run.check()
    # Whoever does not attack plays the same.
    played = {run: run if run.attacked else _honest(run) for run in runs}
    distinct = list(dict.fromkeys(played.values()))
    finished, digests = Finished(folder, _VERSION), (train.digest(), test.digest())
    scene = _Scene(train, test, make_engine, device or torch.device("cpu"))

    def result_of(step: tuple[Run, object]) -> object:
        return "result", step[0], digests

    def stretch_of(run: Run) -> object:
        return "stretch", run, digests

    left = [run for run in distinct if finished.get(result_of((run, None))) is None]
    stretches = [
        run
        for run, times in Counter(map(_beginning, left)).items()
        if run is not None and (times > 1 or finished.get(stretch_of(run)) is not None)
    ]

    def told(before: int, done: int) -> None:
        if progress is not None:
            progress(before + done, len(stretches) + len(distinct))

    states = finish(
        scene.stretch, stretches, stretch_of, finished, spread, lambda done, _: told(0, done)
    )
    begun = dict(zip(stretches, states, strict=True))
    results = finish(
        scene.play,
        [(run, begun.get(_beginning(run) or run)) for run in distinct],
        result_of,
        finished,
        spread,
        lambda done, _: told(len(stretches), done),
    )
    found = dict(zip(distinct, results, strict=True))
    return [replace(found[one], run=run) for run, one in played.items()]


def _honest(run: Run) -> Run:
    return replace(run, attack="none", attackers=0.0)


def _beginning(run: Run) -> Run | None:
    """The rounds before the attack, which every run of the same data and defence begins with."""
    rounds = min(run.attack_round, run.rounds)
    if run.defence == CENTRAL or not rounds:
        return None
    return replace(_honest(run), rounds=rounds)


@dataclass(frozen=True, eq=False)
class _Scene:
    """What the runs of a grid have in common."""

    train: ImageSet
    test: ImageSet
    make_engine: EngineMaker
    device: torch.device

    def stretch(self, run: Run) -> State:
        """The state after the last round of `run`, played from the first."""
        return self._played(run, None)

    def play(self, step: tuple[Run, State | None]) -> RunResult:
        """The result of a run, from the state in which its attack begins if that is known."""
        run, state = step
        if run.defence == CENTRAL:
            return RunResult(run, tuple(self._central(run)))
        return _result(run, self._played(run, state))

    def _central(self, run: Run) -> list[float]:
        task = self._task(run)
        samples, judged = (LocalData.of(part, 0, self.device) for part in (self.train, self.test))
        start = initial_model(task.factory, run.seed).to(self.device)
        return central_baseline(task, samples, judged, run.rounds, start)

    def _played(self, run: Run, state: State | None) -> State:
        attack = Attack.parse(run.attack)
        attackers = choose_attackers(run.participants, run.attackers, run.seed)
        defence = Defence.parse(run.defence, run.participants, run.elected, run.seed)
        privacy = run.privacy
        contest = Contest(
            self._task(run),
            partition(self.train, run.participants, run.split, seed=run.seed),
            self.test,
            [attack] if run.attacked else [],
            attackers,
            self.make_engine,
            None if privacy is None else partial(privacy.released, seed=run.seed),
        )
        try:
            state = state or contest.begin()
            while len(state.history) < run.rounds:
                attacks = run.attacked and len(state.history) >= run.attack_round
                hostile = (attack, attackers) if attacks else ()
                state = contest.play(state, defence, *hostile)
        finally:
            contest.close()
        return state

    def _task(self, run: Run) -> Task:
        classes = len(self.train.classes)
        factory = default_factory(classes, self.train.shape)
        return Task(factory, classes, run.settings, run.seed, self.device)


def _result(run: Run, state: State) -> RunResult:
    hostile = set(choose_attackers(run.participants, run.attackers, run.seed))
    later = state.history[run.attack_round :]
    places = [winner for played in later for winner in played.winners]
    copied = [copy.author for played in later for copy in played.copies]
    caught = sum(author in hostile for author in copied)
    return RunResult(
        run,
        tuple(played.accuracy for played in state.history),
        tuple(played.backdoor for played in state.history),
        sum(winner in hostile for winner in places) / max(1, len(places)),
        caught,
        len(copied) - caught,
    )
