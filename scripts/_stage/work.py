"""How work under way is shown: by bars on a terminal, by lines wherever else output goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, RLock, Thread
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

SILENCE_SECONDS = 10.0
"""Longest time without a line."""
_LOOK_SECONDS = 1.0
"""How often it is looked whether that time is nearly over."""


class Display(Protocol):
    """Shows works, the innermost of which is under way."""

    def begin(self, what: str, announced: bool) -> None:
        """A work begins, inside the one under way if there is one."""

    def turn_to(self, part: str) -> None:
        """The work under way comes to its next part."""

    def progress(self, done: int, total: int) -> None:
        """The work under way has done so many of `total`."""

    def end(self) -> None:
        """The work under way is done, and the one around it goes on."""

    def heard(self) -> None:
        """Something else was printed just now."""


class Bars:
    """A bar for each work in the terminal's last lines, gone when it is done."""

    def __init__(self, console: Console) -> None:
        self._bars = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(20),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._works: list[tuple[str, TaskID]] = []

    def begin(self, what: str, announced: bool) -> None:
        if not self._works:
            self._bars.start()
        self._works.append((what, self._bars.add_task(what, total=None)))

    def turn_to(self, part: str) -> None:
        what, task = self._works.pop()
        self._bars.remove_task(task)
        self._works.append((what, self._bars.add_task(f"{what}: {part}", total=None)))

    def progress(self, done: int, total: int) -> None:
        self._bars.update(self._works[-1][1], completed=done, total=total)

    def end(self) -> None:
        self._bars.remove_task(self._works.pop()[1])
        if not self._works:
            self._bars.stop()

    def heard(self) -> None:
        """Do nothing: bars stay below whatever is printed."""


@dataclass
class _Work:
    what: str
    began: float
    part: str = ""
    far: str = ""


class Lines:
    """A line when a work begins, and another whenever nothing was printed for nearly ten seconds.

    A thread looks after the silence, since not all that takes long says how far it is.
    """

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        """clock: in seconds."""
        self._console, self._clock = console, clock
        self._works: list[_Work] = []
        self._heard = clock()
        self._lock = RLock()
        self._over = Event()

    def begin(self, what: str, announced: bool) -> None:
        with self._lock:
            self._works.append(_Work(what, self._clock()))
            if announced:
                self._print(f"{what} ...")
            if len(self._works) == 1:
                self._over.clear()
                Thread(target=self._look_after, args=(self._over,), daemon=True).start()

    def turn_to(self, part: str) -> None:
        with self._lock:
            self._works[-1].part, self._works[-1].far = part, ""
            self._remind()

    def progress(self, done: int, total: int) -> None:
        with self._lock:
            self._works[-1].far = f": {done:,} of {total:,}"
            self._remind()

    def end(self) -> None:
        with self._lock:
            self._works.pop()
            if not self._works:
                self._over.set()

    def heard(self) -> None:
        self._heard = self._clock()

    def _look_after(self, over: Event) -> None:
        while not over.wait(_LOOK_SECONDS):
            with self._lock:
                self._remind()

    def _remind(self) -> None:
        """One more line, where otherwise the next look might come too late."""
        now = self._clock()
        if not self._works or now - self._heard < SILENCE_SECONDS - 2 * _LOOK_SECONDS:
            return
        work = self._works[-1]
        part = work.part and f", {work.part}"
        self._print(f"{work.what}{part}{work.far}, {now - work.began:.0f} s")

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        self.heard()
