"""Finished tasks, kept one a line, so that a study that was stopped goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from offchain.sum.study.errors import StudyError


class Records:
    """A file of JSON lines, each {"key": ..., "record": ...}; to be used as a context.

    A last line without its end, which a run that was killed leaves behind, is dropped. Raises
    StudyError where any other line is no record.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[str, dict[str, Any]] = {}
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a+b")
        self._file.seek(0)
        content = self._file.read()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            self._file.truncate(len(whole))
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                read = json.loads(line)
                self._found[read["key"]] = read["record"]
            except (ValueError, TypeError, KeyError) as error:
                self._file.close()
                raise StudyError(
                    f"{self._path} line {number} is no record of the study; remove the line, or "
                    "the file to start afresh"
                ) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    def get(self, key: str) -> dict[str, Any] | None:
        """The record kept under `key`."""
        return self._found.get(key)

    def put(self, key: str, record: dict[str, Any]) -> None:
        """Keep a record; it is in the file when this returns."""
        if self._file is None:
            raise RuntimeError("records are to be opened first")
        self._found[key] = record
        self._file.write(json.dumps({"key": key, "record": record}).encode() + b"\n")
        self._file.flush()
