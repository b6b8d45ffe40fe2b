"""What a person sees while a command works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from offchain.data.imageset import Progress


@contextmanager
def doing(console: Console, what: str, say: bool = True) -> Iterator[Progress]:
    """Meanwhile a terminal shows how much is done and how long the rest will take.

    say: print `what` where there is no terminal. Yields how to say how far it is.
    """
    if not console.is_terminal:
        if say:
            console.print(f"{what} ...")
        yield lambda done, total: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
