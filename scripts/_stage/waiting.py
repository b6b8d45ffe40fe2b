"""`doing` for rooms whose telling is no `Telling` yet."""

from __future__ import annotations

from contextlib import AbstractContextManager

from rich.console import Console

from offchain.data.imageset import Progress
from scripts._stage.telling import Telling


def doing(console: Console, what: str, say: bool = True) -> AbstractContextManager[Progress]:
    """As `Telling.doing` on `console`. say: whether to announce it."""
    return Telling(console).doing(what, announced=say)
