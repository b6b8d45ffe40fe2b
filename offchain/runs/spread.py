"""Independent tasks, done in this process, in several, or on a Ray cluster, with equal results."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from joblib import Parallel, delayed  # type: ignore[import-untyped, unused-ignore]
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped, unused-ignore]

from offchain.errors import SoukError
from offchain.runs.processes import cores, keep_importable

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 4
"""Tasks handed to Ray at once, for each of its processors."""

_PATIENCE_S = 10

_DEATHS = 3
"""Worker processes that may die one after the other without any task finished between."""


class SpreadError(SoukError):
    """A cluster that cannot be used, or workers that die; the message is one line for people."""


@contextmanager
def single_threaded() -> Iterator[None]:
    """Meanwhile numerical libraries compute on one thread.

    They add up in another order on several, so that results would depend on how many there are.
    """
    torch = sys.modules.get("torch")  # loaded by those alone that compute with it
    threads = torch.get_num_threads() if torch else 1
    with threadpool_limits(1):
        if torch:
            torch.set_num_threads(1)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(threads)


@dataclass(frozen=True)
class Spread:
    """Where tasks are done: each on one thread, and its result the same everywhere.

    workers: processes, 1 or more; 1 is this one alone. ray: the address of a Ray cluster's head, or
    `local` to start a cluster on this machine; it takes the place of the workers.
    """

    workers: int = 1
    ray: str | None = None

    @classmethod
    def of(cls, workers: int | None, ray: str | None = None, *, gpu: bool = False) -> Spread:
        """As many workers as cores unless told otherwise; one where they would share a GPU."""
        return cls(workers or (1 if gpu else cores()), ray)

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"workers must be 1 or more, not {self.workers}")

    def over(self, work: Callable[[T], R], tasks: Sequence[T]) -> Iterator[tuple[int, R]]:
        """The place of each task among `tasks` and its result, in the order in which they finish.

        work, tasks, results: picklable. A task whose process dies is done again; raises SpreadError
        where that happens over and over, or where the cluster cannot be used. What a task raises is
        raised here.
        """
        if self.ray is not None:
            return _over_ray(work, tasks, self.ray)
        if self.workers == 1:
            return ((place, _done(work, task)) for place, task in enumerate(tasks))
        return _in_processes(work, tasks, self.workers)


def _in_processes(
    work: Callable[[T], R], tasks: Sequence[T], workers: int
) -> Iterator[tuple[int, R]]:
    keep_importable()
    left, deaths = dict(enumerate(tasks)), 0
    while left:
        parallel = Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
        try:
            for place, result in parallel(
                delayed(_placed)(work, place, task) for place, task in list(left.items())
            ):
                del left[place]
                deaths = 0
                yield place, result
        except BrokenProcessPool as error:
            deaths += 1
            if deaths == _DEATHS:
                raise SpreadError(
                    f"{workers} worker processes ended {deaths} times with {len(left)} of "
                    f"{len(tasks)} tasks left: {str(error).partition('.')[0].strip()}"
                ) from error


def _over_ray(work: Callable[[T], R], tasks: Sequence[T], address: str) -> Iterator[tuple[int, R]]:
    """The cluster gets this package with the tasks, and must have the libraries that it needs."""
    # Without it Ray prints a warning about accelerators, of which nothing here makes use.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    # Joblib's own Ray backend hands out results only when all are there; and Ray takes a second
    # to import, which most runs need not spend.
    import ray

    import offchain

    try:
        _reach(address)
        ray.init(
            address=address,
            runtime_env={"py_modules": [offchain]},
            include_dashboard=False if address == "local" else None,
            log_to_driver=False,
            logging_level="error",
        )
    except (RuntimeError, ValueError, OSError) as error:
        raise SpreadError(f"Ray at {address}: {error}") from error
    try:
        remote: Any = ray.remote(_placed)
        shared = ray.put(work)
        most = _AHEAD * int(ray.cluster_resources()["CPU"])
        waiting, running = iter(enumerate(tasks)), []
        while True:
            running += [remote.remote(shared, *task) for task in islice(waiting, most)]
            if not running:
                return
            done, running = ray.wait(running)
            most = len(done)
            yield from ray.get(done)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise SpreadError(f"Ray at {address}: {error}") from error
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """OSError where nobody answers, which Ray itself finds out after minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), _PATIENCE_S).close()


def _placed(work: Callable[[T], R], place: int, task: T) -> tuple[int, R]:
    return place, _done(work, task)


def _done(work: Callable[[T], R], task: T) -> R:
    with single_threaded():
        return work(task)
