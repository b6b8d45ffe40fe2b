"""Accuracies that were measured, kept in a file so that a stopped search goes on where it was."""

from __future__ import annotations

import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any

from offchain.hide.errors import HideError


class Kept:
    """Numbers by what they were measured of, one JSON line each, on disk as soon as known.

    path: None keeps them in memory alone. The keys are hashes: nothing in the file tells a mask.
    Raises HideError naming the line that is not what this class writes.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._values: dict[str, float] = {}
        self._broken_end = False
        if path is not None and path.exists():
            text = path.read_text(encoding="utf-8", errors="replace")
            lines = text.split("\n")
            # A line cut short by a crash has no newline behind it, and is measured again.
            self._broken_end = bool(lines.pop())
            for number, line in enumerate(lines, 1):
                self._values.update(_parsed(line, f"{path}, line {number},"))

    def get(self, what: dict[str, Any]) -> float | None:
        """What was kept for `what`, if anything was."""
        return self._values.get(_key(what))

    def put(self, what: dict[str, Any], value: float) -> None:
        """Keeps `value` for `what`, a document that JSON can hold."""
        self._values[_key(what)] = value
        if self._path is None:
            return
        if self._broken_end:
            whole = self._path.read_bytes()
            os.truncate(self._path, whole.rfind(b"\n") + 1)
            self._broken_end = False
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"key": _key(what), "value": value}) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _key(what: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()


def _parsed(line: str, where: str) -> dict[str, float]:
    try:
        entry = json.loads(line)
        key, value = entry["key"], entry["value"]
    except (ValueError, KeyError, TypeError) as error:
        raise HideError(f"{where} is no kept accuracy") from error
    if not isinstance(key, str) or not isinstance(value, float) or not math.isfinite(value):
        raise HideError(f"{where} is no kept accuracy")
    return {key: value}
