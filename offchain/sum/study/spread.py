"""The tasks of a study spread over processes, or over a Ray cluster."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from joblib import Parallel, delayed  # type: ignore[import-untyped, unused-ignore]

from offchain.importable import keep_importable
from offchain.sum.study.errors import StudyError

T = TypeVar("T")
R = TypeVar("R")

_AHEAD = 4
"""Tasks handed to Ray at once, for each of its processors."""

_PATIENCE_S = 10


def in_processes(work: Callable[[T], R], tasks: Sequence[T], workers: int) -> Iterator[tuple[T, R]]:
    """Each task with its result, in the order in which they finish.

    work, tasks: picklable. workers: processes; 1 for this one alone.
    """
    if workers == 1:
        yield from ((task, work(task)) for task in tasks)
        return
    keep_importable()
    parallel = Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)
    yield from parallel(delayed(_with_task)(work, task) for task in tasks)


def over_ray(work: Callable[[T], R], tasks: Sequence[T], address: str) -> Iterator[tuple[T, R]]:
    """The same on a Ray cluster.

    address: of its head, or `local` to start one on this machine. The cluster gets this package
    with the tasks, and must have the libraries that it needs. Raises StudyError where the
    cluster cannot be used.
    """
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
        raise StudyError(f"Ray at {address}: {error}") from error
    try:
        remote: Any = ray.remote(_with_task)
        shared = ray.put(work)
        most = _AHEAD * int(ray.cluster_resources()["CPU"])
        waiting, running = iter(tasks), []
        while True:
            running += [remote.remote(shared, task) for task in islice(waiting, most)]
            if not running:
                return
            done, running = ray.wait(running)
            most = len(done)
            yield from ray.get(done)
    except ray.exceptions.RayError as error:
        raise StudyError(f"Ray at {address}: {error}") from error
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """OSError where nobody answers, which Ray itself finds out after minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), _PATIENCE_S).close()


def _with_task(work: Callable[[T], R], task: T) -> tuple[T, R]:
    return task, work(task)
