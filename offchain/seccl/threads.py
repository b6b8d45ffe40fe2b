"""The plain way on every core: one thread per core, which torch lets compute at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TypeVar

import torch

from offchain.data.imageset import Progress
from offchain.models.device import exact_convolutions
from offchain.runs.processes import cores
from offchain.seccl.engine import (
    EngineError,
    LoopEngine,
    engine_name,
    evaluated_together,
    gathered,
)
from offchain.seccl.training import LocalData, Task, to_inputs

_Item = TypeVar("_Item")


class ThreadEngine:
    """Threads that each run the loop on one participant, or a few models, at a time.

    They start at once and share the sets, where processes take seconds and a copy each; but they
    wait for one another where Python is at work. Models that draw random numbers in training are
    refused: torch has one stream of them a process, and what a participant draws must not depend on
    who trains beside it.
    """

    def __init__(
        self,
        task: Task,
        training: Sequence[LocalData],
        validation: Sequence[LocalData],
        channels_last: bool = False,
        workers: int | None = None,
        stacked: bool = False,
    ) -> None:
        """workers: threads, 1 or more; one per core unless given. stacked: as in LoopEngine.

        See `check_sets` for what is refused. Raises EngineError when the device is no CPU, the
        model draws random numbers or cannot be stacked; ValueError for other numbers of workers.
        """
        count = cores() if workers is None else workers
        if count < 1:
            raise ValueError(f"workers must be 1 or more, not {count}")
        if task.device.type != "cpu":
            raise EngineError(f"worker threads compute on the CPU, not on {task.device}")
        self.name = engine_name(f"{count} threads", channels_last, stacked)
        self._sets, self._workers, self._stacked = len(training), count, stacked
        self._idle: SimpleQueue[LoopEngine] = SimpleQueue()
        for _ in range(count):  # one model each
            self._idle.put(LoopEngine(task, training, validation, channels_last, stacked))
        _check_draws_nothing(task, training[0])
        self._pool = ThreadPoolExecutor(count, initializer=_single_threaded)

    def train(
        self,
        start: torch.Tensor,
        round_: int,
        sets: Sequence[int] | None = None,
        progress: Progress | None = None,
    ) -> torch.Tensor:
        chosen = list(range(self._sets) if sets is None else sets)

        def one(loop: LoopEngine, number: int) -> torch.Tensor:
            return loop.train_one(start, round_, number).unsqueeze(0)

        with _global_state_kept():
            return gathered(self._lent(one, chosen), len(chosen), progress)

    def confusions(self, models: torch.Tensor, progress: Progress | None = None) -> torch.Tensor:
        parts = evaluated_together(models, self._stacked, self._workers)
        with _global_state_kept():
            counts = self._lent(LoopEngine.confusions_together, parts)
            return gathered(counts, len(models), progress, dim=1)

    def close(self) -> None:
        """End the threads; the engine is not used afterwards."""
        self._pool.shutdown(cancel_futures=True)

    def _lent(
        self, work: Callable[[LoopEngine, _Item], torch.Tensor], items: Iterable[_Item]
    ) -> Iterator[torch.Tensor]:
        """Of each item what work makes of it with a loop that no other thread uses meanwhile."""

        def lent(item: _Item) -> torch.Tensor:
            loop = self._idle.get()
            try:
                return work(loop, item)
            finally:
                self._idle.put(loop)

        return self._pool.map(lent, items)


def _single_threaded() -> None:
    torch.set_num_threads(1)
    torch.get_num_threads()  # makes it this thread's own number, which others change no more


@contextmanager
def _global_state_kept() -> Iterator[None]:
    """What every thread sets and puts back, in no order, is put back when all are done."""
    threads = torch.get_num_threads()
    try:
        with torch.random.fork_rng(devices=[]), exact_convolutions():
            yield
    finally:
        torch.set_num_threads(threads)


def _check_draws_nothing(task: Task, samples: LocalData) -> None:
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        model = task.factory().train()
        before = torch.get_rng_state()
        model(to_inputs(samples.images[:2]))
        if not torch.equal(torch.get_rng_state(), before):
            raise EngineError("the model draws random numbers, of which threads share one stream")
