"""What is open on a network: one line for each session, order, listing, model or federation.

A mechanism joins by one function, which turns the events of its factory into `Open` (`listed` in
`browsing` of its room, see scripts/_market/mechanisms.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from offchain.crypto.settlement import NATIVE
from offchain.storage import ContentError, Datastore, DatastoreUnavailable
from offchain.storage.together import side_by_side
from offchain.task import Task, TaskError, canonical_classes, fetch_task


@dataclass(frozen=True)
class Open:
    """Something that others may join.

    Attributes:
        mechanism: its room's name. address: of the contract. block: in which it was made.
        author: 0x address. task: digest in the CID of its task document.
        reward, deposit: what joining brings, and what it takes at least: a deposit, or a price;
            smallest unit of what pays. token: that, NATIVE for the native coin.
        until: when joining ends, in Unix seconds; None where nobody knows. joined: how many have.
    """

    mechanism: str
    address: str
    block: int
    author: str
    task: bytes
    reward: int
    deposit: int
    token: str
    until: int | None
    joined: int


@dataclass(frozen=True)
class Wanted:
    """A filter; what is empty or zero filters nothing.

    Attributes:
        classes: that the task has, among others. licence: of the task, in whatever case.
        least_reward: in the smallest unit of `token`; what pays in another one has none that can be
            compared. after: joining ends later, in Unix seconds.
    """

    classes: tuple[str, ...] = ()
    licence: str | None = None
    least_reward: int = 0
    token: str = NATIVE
    after: int = 0

    def takes(self, one: Open) -> bool:
        """By what the chain says of it."""
        enough = not self.least_reward or (
            one.token == self.token and one.reward >= self.least_reward
        )
        return enough and (one.until is None or one.until > self.after)

    def takes_task(self, task: Task | None) -> bool:
        """By the task; None for one that could not be read, of which nothing is known."""
        if task is None:
            return not self.classes and self.licence is None
        named = set(canonical_classes(self.classes)) if self.classes else set()
        licence = self.licence is None or task.licence.casefold() == self.licence.casefold()
        return licence and named <= set(task.classes)


def browse(
    listers: Iterable[Callable[[], Sequence[Open]]], wanted: Wanted, store: Datastore
) -> list[tuple[Open, Task | None]]:
    """What is wanted of all that is open, the first to end first, each with its task.

    The task is None where it cannot be fetched, or what lies there is none.
    """
    some = [one for lister in listers for one in lister() if wanted.takes(one)]
    tasks = [future.result() for future in side_by_side([partial(task_of, store, o) for o in some])]
    found = [(one, task) for one, task in zip(some, tasks, strict=True) if wanted.takes_task(task)]
    return sorted(found, key=lambda pair: (pair[0].until is None, pair[0].until or 0))


def task_of(store: Datastore, one: Open) -> Task | None:
    """The task of something open; None where it cannot be had."""
    try:
        return fetch_task(store, one.task)
    except (ContentError, DatastoreUnavailable, TaskError):
        return None
