"""Runs that are not finished yet, spread and kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from offchain.runs.finished import Finished
from offchain.runs.spread import Spread

if TYPE_CHECKING:
    from offchain.data.imageset import Progress

T = TypeVar("T")
R = TypeVar("R")


def finish(
    work: Callable[[T], R],
    tasks: Sequence[T],
    about: Callable[[T], object],
    finished: Finished | None,
    spread: Spread,
    progress: Progress | None = None,
) -> list[R]:
    """The results of `tasks`, in their order; those that are not finished are done and kept.

    work: as in `Spread.over`. about: what decides a task's result, as in `Finished`. Every result
    is on disk as soon as it is known: a worker process writes its own, so that the end of this
    process, or of another worker, loses none. finished: None keeps nothing. progress: called as
    (tasks done, tasks).
    """
    names = [about(task) for task in tasks]
    kept = {place: finished.get(name) for place, name in enumerate(names)} if finished else {}
    results: dict[int, R] = {place: result for place, result in kept.items() if result is not None}
    left = [place for place in range(len(tasks)) if place not in results]
    todo = [(names[place], tasks[place]) for place in left]
    # A machine of a cluster does not see this folder.
    do = partial(_kept, None if spread.ray else finished, work)
    for place, result in spread.over(do, todo):
        results[left[place]] = result
        if spread.ray and finished:
            finished.once(names[left[place]], partial(_same, result))
        if progress is not None:
            progress(len(results), len(tasks))
    return [results[place] for place in range(len(tasks))]


def _kept(finished: Finished | None, work: Callable[[T], R], task: tuple[object, T]) -> R:
    name, one = task
    do = partial(work, one)
    return do() if finished is None else finished.once(name, do)


def _same(result: R) -> R:
    return result
