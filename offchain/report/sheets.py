"""A table as text, written once for the terminal, for a page and for a document."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """cells: one text per column. strong: to be made to stand out."""

    cells: tuple[str, ...]
    strong: bool = False


@dataclass(frozen=True)
class Sheet:
    """A table as text, safe to print: what strangers wrote has gone through `plain`.

    text_columns: how many of the first columns are text; the others are numbers, aligned right.
    total: the sums below the rows, as many cells as there are headers.
    note: one or two sentences that say how to read it.
    """

    title: str
    headers: tuple[str, ...]
    text_columns: int
    rows: tuple[Row, ...]
    total: tuple[str, ...] | None = None
    note: str = ""
