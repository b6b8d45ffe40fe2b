"""Which engine is fastest here: by a short trial on the very data, not by a rule."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch

from offchain.seccl.batched import BatchedEngine
from offchain.seccl.engine import Engine, LoopEngine
from offchain.seccl.parameters import initial_model
from offchain.seccl.processes import EngineError, ProcessEngine, cores
from offchain.seccl.training import Samples, Task

_TRIED = 4
"""Participants that train, and models that are evaluated, in a trial on a CPU of up to 4 cores."""

_REPEATS = 3
"""Times that a trial is done: the least of each part counts, since other work only ever adds."""

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
        """Seconds a round."""
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
    task: Task, training: Sequence[Samples], validation: Sequence[Samples], rounds: int
) -> Choice:
    """The engine that needs least time for `rounds` rounds of all sets, by measurement.

    On a CPU the candidates are the loop in both memory formats, the batched engine, and, where
    there are several cores and the loop would need over half a minute, worker processes in the
    better format. On CUDA they are the loop and the batched engine. On a CPU a trial trains four
    participants, or one a core, and evaluates as many models; on CUDA it is a whole round. Each
    trial is done three times.

    Raises ValueError without rounds, and what `check_sets` raises.
    """
    if rounds < 1:
        raise ValueError(f"rounds must be 1 or more, not {rounds}")
    data = task, training, validation
    loops: list[Callable[[], Engine]] = [partial(LoopEngine, *data)]
    if task.device.type == "cpu":
        loops.append(partial(LoopEngine, *data, channels_last=True))
    candidates: list[Callable[[], Engine]] = [*loops, partial(BatchedEngine, *data)]
    tried = [_try(make, task, len(training)) for make in candidates]
    loop = min((trial for trial, _ in tried[: len(loops)]), key=lambda trial: trial.seconds)
    if task.device.type == "cpu" and cores() > 1 and rounds * loop.seconds > _WORTH_SECONDS:
        last = loop is not tried[0][0]
        tried.append(_try(partial(ProcessEngine, *data, last), task, len(training)))
    _, engine = best = min(
        (pair for pair in tried if pair[1] is not None),
        key=lambda pair: pair[0].seconds,
    )
    for pair in tried:
        if pair is not best and pair[1] is not None:
            pair[1].close()
    assert engine is not None  # the loop never is left out
    return Choice(engine, tuple(trial for trial, _ in tried))


def _try(make: Callable[[], Engine], task: Task, sets: int) -> tuple[Trial, Engine | None]:
    began = time.perf_counter()
    try:
        engine = make()
    except EngineError as error:
        return Trial("processes", float("inf"), float("inf"), 0.0, str(error)), None
    model = initial_model(task.factory, task.seed).to(task.device)
    count = sets if task.device.type == "cuda" else min(max(_TRIED, cores()), sets)
    try:
        # A first, unmeasured call fills caches.
        engine.confusions(model.unsqueeze(0))
        ready = time.perf_counter()
        train = min(
            _seconds(lambda: engine.train(model, 0, range(count)).cpu()) for _ in range(_REPEATS)
        )
        evaluate = min(
            _seconds(lambda: engine.confusions(model.repeat(count, 1))) for _ in range(_REPEATS)
        )
    # What torch raises on models that cannot be batched: they draw random numbers, or branch.
    except RuntimeError as error:
        if isinstance(engine, LoopEngine):
            raise
        engine.close()
        why = str(error).strip().partition("\n")[0]
        return Trial(engine.name, float("inf"), float("inf"), 0.0, f"not possible: {why}"), None
    scale = sets / count
    return Trial(engine.name, scale * train, scale * evaluate, ready - began), engine


def _seconds(work: Callable[[], torch.Tensor]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
