"""What a person sees while a command works and when it is over, and what is kept of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from click import ClickException
from rich.console import Console

from offchain.data.leftout import LeftOut
from offchain.report.sheets import Sheet
from offchain.report.tables import render
from offchain.report.text import plain
from scripts._stage.errors import MOST_CHARS
from scripts._stage.table import Step
from scripts._stage.work import Bars, Display, Lines

if TYPE_CHECKING:  # imageset imports torch, which nothing here needs
    from offchain.data.imageset import Progress


@dataclass
class Telling:
    """Prints to `console`, and keeps one line for everything that happened in `log`.

    clock: seconds, by which it is judged how long nothing was said.
    """

    console: Console = field(default_factory=Console)
    log: list[str] = field(default_factory=list)
    clock: Callable[[], float] = time.monotonic
    _display: Display | None = None

    @contextmanager
    def doing(self, what: str, *, announced: bool = True) -> Iterator[Progress]:
        """Tells that `what` is done meanwhile; yields how to say how far it is.

        On a terminal a bar shows it. Elsewhere a line is printed as it begins, unless it is not
        to be announced, since it is short and comes often; and further lines while it lasts, so
        that nobody waits ten seconds without a word. What is begun inside is told in its place.
        """
        outermost = self._display is None
        if self._display is None:
            terminal = self.console.is_terminal
            self._display = Bars(self.console) if terminal else Lines(self.console, self.clock)
        self._display.begin(what, announced)
        try:
            yield self.progress
        finally:
            self._display.end()
            if outermost:
                self._display = None

    def turn_to(self, part: str) -> Progress:
        """Tells that the work under way has come to its next part; how to say how far that is."""
        if self._display:
            self._display.turn_to(part)
        return self.progress

    def progress(self, done: int, total: int) -> None:
        """How far the work under way is, or its part."""
        if self._display:
            self._display.progress(done, total)

    def step(self, step: Step) -> None:
        """Tells of one transaction: who sent it, which call it was, and its gas."""
        self.say(f"{step.seat:<12} {step.receipt.call:<14} {step.receipt.gas:>9,} gas")

    def refused(self, seat: str, error: ClickException) -> None:
        """Tells that the chain refused what the party at `seat` sent, and why."""
        self.say(f"{seat:<12} {error.message}")

    def time(self, what: str, timestamp: int) -> None:
        """Something ends; `timestamp` in Unix seconds."""
        self.say(f"-- {what}, {datetime.fromtimestamp(timestamp, UTC):%d %B %H:%M} UTC", "bold")

    def left_out(self, what: LeftOut) -> None:
        """Tells how many files of the data were left out; the log has every name."""
        self.say(str(what))
        self.log += [f"left out: {what.place}/{name}" for name in what.names]

    def say(self, line: str, style: str = "") -> None:
        """Shows one line and keeps it in the log."""
        self.log.append(line)
        self.show(line, style)

    def show(self, line: str, style: str = "", *, whole: bool = False) -> None:
        """One line, no markup in it. whole: it is broken nowhere, so that it can be copied."""
        line = "\n".join(plain(one, MOST_CHARS) for one in line.split("\n"))
        self.console.print(line, style=style, markup=False, highlight=False, soft_wrap=whole)
        if self._display:
            self._display.heard()

    def sheets(self, sheets: Iterable[Sheet]) -> None:
        """Prints tables, one below the other; the log does not keep them."""
        for sheet in sheets:
            self.console.print(render(sheet))

    def verdict(self, wrong: Sequence[str]) -> None:
        """Whether a story ended as it should. wrong: what did not."""
        for line in wrong:
            self.show(f"not as it should be: {line}", "bold red")
        if not wrong:
            self.show("The story ended justly.")

    def wrote(self, files: Iterable[Path]) -> None:
        """Names the files that were written, one a line."""
        for file in files:
            self.show(str(file), whole=True)
