"""Sheets for the terminal, as rich renderables, and for documents, as Markdown."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from offchain.report.sheets import Sheet
from offchain.report.text import markdown, plain

_SHORT = 16
"""Columns of texts up to so many characters are not broken over lines."""
_LONG = 2_000
"""Characters of a line at most."""


def render(sheet: Sheet) -> Table:
    """`sheet` as a rich table. No markup in its texts has effect, and none drives a terminal."""
    table = Table(
        title=Text(sheet.title, style="bold"),
        caption=Text(sheet.note),
        title_justify="left",
        caption_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_footer=sheet.total is not None,
    )
    footers = sheet.total or ("",) * len(sheet.headers)
    for i, (header, footer) in enumerate(zip(sheet.headers, footers, strict=True)):
        if i < sheet.text_columns:
            longest = max((len(row.cells[i]) for row in sheet.rows), default=0)
            table.add_column(Text(header), Text(footer), overflow="fold", no_wrap=longest <= _SHORT)
        else:
            # A number broken over lines cannot be read; its header gives way instead.
            narrow = Text("\n".join(header.replace("-", "- ").rsplit(" ", 1)))
            table.add_column(narrow, Text(footer), justify="right", no_wrap=True)
    for row in sheet.rows:
        table.add_row(*map(_cell, row.cells), style="bold green" if row.strong else None)
    return table


def _cell(text: str) -> Text:
    return Text("\n".join(plain(line, _LONG) for line in text.split("\n")))


def as_markdown(sheet: Sheet) -> str:
    """`sheet` as a section of a document: heading, table, note. Its total is left out."""
    rows = [row.cells for row in sheet.rows]
    parts = (f"## {sheet.title}", markdown(sheet.headers, rows, sheet.text_columns), sheet.note)
    return "\n\n".join(part for part in parts if part) + "\n"
