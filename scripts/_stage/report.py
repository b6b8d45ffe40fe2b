"""What every command leaves behind: a page, a record and pictures, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from offchain.files import write_together
from offchain.report.page import Page

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


def as_json(record: Any) -> str:
    """A dataclass of plain values as JSON text; paths become text."""
    return json.dumps(asdict(record), indent=2, default=_plain) + "\n"


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"a record holds no {type(value).__name__}")
