"""What a person sees while a command works, and what is kept of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from click import ClickException
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from scripts._stage.table import Step


@dataclass
class Telling:
    """Prints to `console`, and keeps one line for everything that happened in `log`."""

    console: Console = field(default_factory=Console)
    log: list[str] = field(default_factory=list)
    _bars: Progress | None = None

    @contextmanager
    def live(self) -> Iterator[None]:
        """Meanwhile a terminal shows in its last line what is being done and how far it is."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(20),
            TaskProgressColumn(),
            TimeElapsedColumn(),
        )
        if not self.console.is_terminal:
            yield
            return
        with Progress(*columns, console=self.console, transient=True) as self._bars:
            try:
                yield
            finally:
                self._bars = None

    def doing(self, what: str) -> None:
        """Names what begins now."""
        if self._bars:
            for task in self._bars.task_ids:
                self._bars.remove_task(task)
            self._bars.add_task(what, total=None)

    def progress(self, done: int, total: int) -> None:
        """How far it is."""
        if self._bars:
            for task in self._bars.task_ids:
                self._bars.update(task, completed=done, total=total)

    def step(self, step: Step) -> None:
        """One transaction."""
        self.say(f"{step.seat:<12} {step.receipt.call:<14} {step.receipt.gas:>9,} gas")

    def refused(self, seat: str, error: ClickException) -> None:
        """The chain would not do what a party wanted."""
        self.say(f"{seat:<12} {error.message}")

    def time(self, what: str, timestamp: int) -> None:
        """Something ends; `timestamp` in Unix seconds."""
        self.say(f"-- {what}, {datetime.fromtimestamp(timestamp, UTC):%d %B %H:%M} UTC", "bold")

    def say(self, line: str, style: str = "") -> None:
        """One line."""
        self.log.append(line)
        self.console.print(line, style=style, highlight=False)
