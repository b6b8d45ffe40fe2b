"""What a reader of data leaves out, said to whoever asked for the data."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

_SHOWN = 5
"""Names that the one line spells out; the others are counted."""


@dataclass(frozen=True)
class LeftOut:
    """Things of one kind that were left out.

    place: where they lie, as a folder's name.
    what: their kind, in the plural: "hidden files or folders".
    names: every one of them, at least one; paths are relative to the place.

    `str()` is one line for people: the kind, the count and the first names.
    """

    place: str
    what: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.place}: left out {self.what} ({len(self.names):,}): {shortened(self.names)}"


Note = Callable[[LeftOut], None]
"""Called once for each kind of things that were left out, when all of them are known."""


def shortened(names: tuple[str, ...]) -> str:
    """The first names, by commas, and how many follow."""
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def warn(left_out: LeftOut) -> None:
    """Says it as a Python warning: what who names no other way gets."""
    warnings.warn(str(left_out), stacklevel=2)
