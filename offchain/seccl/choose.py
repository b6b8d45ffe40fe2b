"""Which engine is fastest here: by a short trial on the very data, not by a rule."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from offchain.runs.processes import cores
from offchain.seccl.batched import BatchedEngine
from offchain.seccl.engine import Engine, EngineError, LoopEngine
from offchain.seccl.parameters import initial_model
from offchain.seccl.processes import ProcessEngine
from offchain.seccl.threads import ThreadEngine
from offchain.seccl.training import LocalData, Task

_TRIED = 4
"""Participants that train, and models that are evaluated, in a trial on a CPU of up to 4 cores."""

_REPEATS = 3
"""Times that a trial is done: the least of each part counts, since other work only ever adds."""

_ENOUGH_SECONDS = 1.0
"""A part that has taken so long is not repeated: what disturbs it briefly weighs little in it."""

_WORTH_SECONDS = 30.0
"""Worker processes take seconds to start: they are tried when the loop would need longer."""


@dataclass(frozen=True)
class Trial:
    """One engine's seconds, as estimated for a whole round from a part of one.

    train, evaluate: seconds of wall clock; infinite when the engine cannot do it.
    start: seconds until it stood ready, which it took once. note: why it was left out, or "".
    """

    name: str
    train: float
    evaluate: float
    start: float
    note: str = ""

    @property
    def seconds(self) -> float:
        """Wall seconds of a round, training and evaluation together."""
        return self.train + self.evaluate

    def __str__(self) -> str:
        if self.note:
            return f"{self.name}: {self.note}"
        return (
            f"{self.name}: {self.seconds:.2f} s a round, {self.train:.2f} to train and "
            f"{self.evaluate:.2f} to evaluate; {self.start:.2f} s to start"
        )


@dataclass(frozen=True, eq=False)
class Choice:
    """The engine chosen, and what each candidate took."""

    engine: Engine
    trials: tuple[Trial, ...]

    def report(self) -> str:
        """One line per candidate and one for the choice."""
        return "\n".join([*map(str, self.trials), f"chosen: {self.engine.name}"])


def choose_engine(
    task: Task, training: Sequence[LocalData], validation: Sequence[LocalData], rounds: int
) -> Choice:
    """The engine that needs least time for `rounds` rounds of all sets, by measurement.

    On CUDA the candidates are the loop and the batched engine, and a trial is a whole round. On a
    CPU they are the loop in both memory formats, the better of these with stacked evaluation, the
    batched engine, and, in the best of these ways and where there are several cores, threads and,
    if the best would still need over half a minute, worker processes. A trial there trains four
    participants, or one a core, and evaluates as many models. Each part of a trial is done three
    times, or until it has taken a second.

    Raises ValueError without rounds, and what `check_sets` raises.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be 1 or more, not {rounds}")
    data = task, training, validation
    tried = _Trials(task, len(training))
    tried.add("loop", partial(LoopEngine, *data))
    if task.device.type == "cpu":
        tried.add("loop, channels last", partial(LoopEngine, *data, True))
        last = tried.fastest.name.endswith("last")
        tried.add("stacked", partial(LoopEngine, *data, last, stacked=True))
        stacked = tried.fastest.name.endswith("stacked")
    tried.add(BatchedEngine.name, partial(BatchedEngine, *data))
    if task.device.type == "cpu" and cores() > 1:
        tried.add("threads", partial(ThreadEngine, *data, last, stacked=stacked))
        if rounds * tried.fastest.seconds > _WORTH_SECONDS:
            tried.add("processes", partial(ProcessEngine, *data, last, stacked=stacked))
    return tried.choice()


def engine_named(
    name: str, task: Task, training: Sequence[LocalData], validation: Sequence[LocalData]
) -> Engine:
    """The engine that calls itself `name`, for runs that are resumed: engines differ in rounding.

    Raises ValueError for a name that no engine has, and what the engine raises.
    """
    data = task, training, validation
    way, *how = name.split(", ")
    last, stacked = "channels last" in how, "stacked" in how
    count, _, workers = way.partition(" ")
    if name == BatchedEngine.name:
        return BatchedEngine(*data)
    if way == "loop":
        return LoopEngine(*data, last, stacked)
    if workers == "threads" and count.isdecimal():
        return ThreadEngine(*data, last, int(count), stacked)
    if workers == "processes" and count.isdecimal():
        return ProcessEngine(*data, last, int(count), stacked)
    raise ValueError(f"no engine is called {name!r}")


class EnginePicker:
    """Makes the engine; engines differ in the last bits, so a resumed run names the one it had.

    name: of the engine, chosen when it is made unless it is set before. report: why that one.
    """

    def __init__(self, rounds: int) -> None:
        self.name = ""
        self.report: tuple[str, ...] = ()
        self._rounds = rounds

    def __call__(
        self, task: Task, training: Sequence[LocalData], validation: Sequence[LocalData]
    ) -> Engine:
        """The engine of that task and these sets. Raises as `choose_engine` and `engine_named`."""
        if self.name:
            self.report = (f"engine as before: {self.name}",)
            return engine_named(self.name, task, training, validation)
        choice = choose_engine(task, training, validation, self._rounds)
        self.name = choice.engine.name
        self.report = tuple(choice.report().splitlines())
        return choice.engine


class _Trials:
    """Candidates as they are tried; of those that can do it the fastest is kept, others closed."""

    def __init__(self, task: Task, sets: int) -> None:
        self._task, self._sets = task, sets
        self._trials: list[Trial] = []
        self._best: tuple[Trial, Engine] | None = None

    @property
    def fastest(self) -> Trial:
        """The fastest so far; the loop is tried first and can always do it."""
        assert self._best is not None
        return self._best[0]

    def add(self, name: str, make: Callable[[], Engine]) -> None:
        """Try one candidate, called `name` if it does not even come into being."""
        try:
            trial, engine = _try(make, self._task, self._sets)
        except EngineError as error:
            self._trials.append(Trial(name, float("inf"), float("inf"), 0.0, str(error)))
            return
        self._trials.append(trial)
        if self._best is not None:
            slower = engine if trial.seconds >= self.fastest.seconds else self._best[1]
            slower.close()
            if slower is engine:
                return
        self._best = trial, engine

    def choice(self) -> Choice:
        """The fastest, and all that were tried."""
        assert self._best is not None
        return Choice(self._best[1], tuple(self._trials))


def _try(make: Callable[[], Engine], task: Task, sets: int) -> tuple[Trial, Engine]:
    began = time.perf_counter()
    engine = make()
    model = initial_model(task.factory, task.seed).to(task.device)
    count = sets if task.device.type == "cuda" else min(max(_TRIED, cores()), sets)
    try:
        # A first, unmeasured call fills caches.
        engine.confusions(model.unsqueeze(0))
        ready = time.perf_counter()
        train = _least_seconds(lambda: engine.train(model, 0, range(count)).cpu())
        evaluate = _least_seconds(lambda: engine.confusions(model.repeat(count, 1)))
    # What torch raises on models that cannot be batched: they draw random numbers, or branch.
    except RuntimeError as error:
        engine.close()
        if not isinstance(engine, BatchedEngine):
            raise
        raise EngineError(f"not possible: {str(error).strip().partition(chr(10))[0]}") from error
    scale = sets / count
    return Trial(engine.name, scale * train, scale * evaluate, ready - began), engine


def _least_seconds(work: Callable[[], torch.Tensor]) -> float:
    took: list[float] = []
    while len(took) < _REPEATS and sum(took) < _ENOUGH_SECONDS:
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return min(took)
