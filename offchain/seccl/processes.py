"""The plain way on every core: one single-threaded worker process per core."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.synchronize import Barrier

import numpy as np
import numpy.typing as npt
import torch

from offchain.data.imageset import Progress
from offchain.runs.processes import cores, keep_importable
from offchain.seccl.engine import (
    EngineError,
    LoopEngine,
    engine_name,
    evaluated_together,
    gathered,
)
from offchain.seccl.training import LocalData, Task

_worker: LoopEngine  # in a worker process: its own engine, made once by _start


_START_SECONDS = 300.0
"""Longest wait for all workers to start."""


class ProcessEngine:
    """Worker processes that each run the loop on one participant, or one model, at a time.

    Scripts that use it need the usual `if __name__ == "__main__":`, for workers import them.
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
        """workers: processes, 1 or more; one per core unless given. Each holds a copy of all sets.
        stacked: as in LoopEngine.

        Ready when all workers are, which takes seconds. See `check_sets` for what is refused.
        Raises EngineError when the device is no CPU, the model factory cannot be sent to another
        process or be stacked, or a worker cannot start; ValueError for other numbers of workers.
        """
        count = cores() if workers is None else workers
        if count < 1:
            raise ValueError(f"workers must be 1 or more, not {count}")
        if task.device.type != "cpu":
            raise EngineError(f"worker processes compute on the CPU, not on {task.device}")
        try:
            pickle.dumps(task)
        # What pickle raises depends on what it meets.
        except Exception as error:
            raise EngineError(
                f"the model factory cannot be sent to worker processes: {error}"
            ) from error
        # Refused here rather than in the workers, whose errors are known only as their end.
        LoopEngine(task, training, validation, channels_last, stacked)
        self.name = engine_name(f"{count} processes", channels_last, stacked)
        self._sets, self._workers, self._stacked = len(training), count, stacked
        context = _context()
        data = task, _plain(training), _plain(validation), channels_last, stacked
        self._pool = ProcessPoolExecutor(
            count,
            mp_context=context,
            initializer=_start,
            initargs=(context.Barrier(count, timeout=_START_SECONDS), *data),
        )
        keep_importable()
        with _alive():  # each piece of work starts a worker as long as none is idle
            list(self._pool.map(_ready, range(count)))

    def train(
        self,
        start: torch.Tensor,
        round_: int,
        sets: Sequence[int] | None = None,
        progress: Progress | None = None,
    ) -> torch.Tensor:
        chosen = list(range(self._sets) if sets is None else sets)
        with _alive():
            changes = self._pool.map(
                _train, [start.numpy()] * len(chosen), [round_] * len(chosen), chosen
            )
            return gathered(map(torch.from_numpy, changes), len(chosen), progress)

    def confusions(self, models: torch.Tensor, progress: Progress | None = None) -> torch.Tensor:
        parts = evaluated_together(models, self._stacked, self._workers)
        with _alive():
            counts = self._pool.map(_confusions, [part.numpy() for part in parts])
            return gathered(map(torch.from_numpy, counts), len(models), progress, dim=1)

    def close(self) -> None:
        """End the worker processes; the engine is not used afterwards."""
        self._pool.shutdown(cancel_futures=True)


def _context() -> SpawnContext | ForkServerContext:
    """How workers start. On Linux they are forked from a process that has loaded torch and done
    nothing with it, which takes seconds of each worker's start; elsewhere that is not safe."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["torch"])
    return context


@contextmanager
def _alive() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as error:
        raise EngineError("a worker process ended before its work was done") from error


Plain = list[tuple[int, npt.NDArray[np.uint8], npt.NDArray[np.int64]]]


def _plain(sets: Sequence[LocalData]) -> Plain:
    """The sets as arrays: tensors would travel in shared memory, which containers are short of."""
    return [(part.owner, part.images.numpy(), part.labels.numpy()) for part in sets]


def _start(
    all_ready: Barrier,
    task: Task,
    training: Plain,
    validation: Plain,
    channels_last: bool,
    stacked: bool,
) -> None:
    global _worker
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    _worker = LoopEngine(task, _samples(training), _samples(validation), channels_last, stacked)
    all_ready.wait()


def _end_with_parent() -> None:
    """A pool whose process is killed tells its workers nothing: they would wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # this is a worker
    wait([parent.sentinel])
    os._exit(1)


def _samples(sets: Plain) -> list[LocalData]:
    return [LocalData(owner, torch.from_numpy(x), torch.from_numpy(y)) for owner, x, y in sets]


def _ready(_: int) -> None:
    """Nothing: a worker answers when it has started."""


def _train(start: npt.NDArray[np.float32], round_: int, number: int) -> npt.NDArray[np.float32]:
    change: npt.NDArray[np.float32] = (
        _worker.train_one(torch.from_numpy(start), round_, number).unsqueeze(0).numpy()
    )
    return change


def _confusions(models: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    counts: npt.NDArray[np.int64] = _worker.confusions_together(torch.from_numpy(models)).numpy()
    return counts
