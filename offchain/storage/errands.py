"""Calls that wait for strangers, under way side by side, so that nobody waits for another's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import count
from queue import PriorityQueue
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Errands(Generic[K, T]):
    """At most `parallel` calls at once; those that were never tried come before further attempts.

    For one thread. Its threads end with the process, whatever they wait for.
    """

    def __init__(self, parallel: int) -> None:
        self._parallel = parallel
        self._queue: PriorityQueue[tuple[int, int, Future[T], Callable[[], T]]] = PriorityQueue()
        self._under_way: dict[K, Future[T]] = {}
        self._attempts: dict[K, int] = {}
        self._order = count()
        self._threads = 0

    def start(self, key: K, call: Callable[[], T]) -> None:
        """Makes the call when a thread is free; nothing new where one for `key` is under way."""
        if key in self._under_way:
            return
        attempt = self._attempts[key] = self._attempts.get(key, 0) + 1
        self._under_way[key] = future = Future[T]()
        self._queue.put((attempt, next(self._order), future, call))
        if self._threads < min(self._parallel, len(self._under_way)):
            self._threads += 1
            threading.Thread(target=self._work, daemon=True).start()

    def ended(self, seconds: float, *, any_one: bool = False) -> dict[K, Future[T]]:
        """Waits until all calls have ended, or one has, but no longer than `seconds`.

        Answers those that have ended, each once, in the order in which they were started.
        """
        how: Any = {"return_when": FIRST_COMPLETED} if any_one else {}
        wait(self._under_way.values(), seconds, **how)
        ended = {key: future for key, future in self._under_way.items() if future.done()}
        for key in ended:
            del self._under_way[key]
        return ended

    @property
    def under_way(self) -> bool:
        """Whether any call has not ended, or was not yet answered as ended."""
        return bool(self._under_way)

    def _work(self) -> None:
        while True:
            _, _, future, call = self._queue.get()
            try:
                future.set_result(call())
            except Exception as error:  # whatever it is, whoever takes up the end gets it
                future.set_exception(error)
