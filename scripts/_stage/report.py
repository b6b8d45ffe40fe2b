"""What every command leaves behind: a page, a record and pictures, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from offchain.files import write_together
from offchain.report.page import Page, Picture, Section
from offchain.report.sheets import Sheet

PAGE = "report.html"
RECORD = "record.json"


@dataclass(frozen=True)
class Report:
    """What a run came to.

    page: for people. record: the same for programs, JSON text. files: pictures and what else there
    is, by name.
    """

    page: Page
    record: str
    files: Mapping[str, bytes] = field(default_factory=dict)

    def write(self, folder: Path) -> list[Path]:
        """Writes files, record.json and report.html to `folder`, made if missing; their paths.

        Files of these names are replaced together; where that fails the folder is as it was.
        Raises OSError.
        """
        page = self.page.html().encode()
        return write_together(folder, {**self.files, RECORD: self.record.encode(), PAGE: page})


@dataclass(frozen=True)
class _Tables:
    command: str
    sheets: Sequence[Sheet]


def of_figures(
    title: str,
    headline: str,
    command: str,
    sheets: Sequence[Sheet],
    pictures: Mapping[str, bytes],
    documents: Mapping[str, str],
) -> Report:
    """The report of a paper's figures made again.

    command: what gives it again. pictures: PNG files by name. documents: the same for a repository,
    in Markdown, by name.
    """
    page = Page(
        title=title,
        headline=headline,
        verdict=f"Made by: {command}",
        good=None,
        sections=(
            *(Section(sheet.title, sheets=(sheet,)) for sheet in sheets),
            Section("Plots", tuple(Picture(png, name) for name, png in pictures.items())),
        ),
    )
    files = {name: text.encode() for name, text in documents.items()}
    return Report(page, as_json(_Tables(command, sheets)), {**files, **pictures})


def as_json(record: Any) -> str:
    """A dataclass of plain values as JSON text; paths become text."""
    return json.dumps(asdict(record), indent=2, default=_plain) + "\n"


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a record holds no {type(value).__name__}")
