"""Finished runs of an experiment, one JSON file each, so that none is done twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from offchain.hide.errors import HideError

_FORM = 1
"""Raised when equal settings no longer give equal results, so that old files are left alone."""


class Runs:
    """What is finished, under `folder`, which is made when the first run is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def once(
        self, kind: str, about: dict[str, Any], make: Callable[[], dict[str, Any]]
    ) -> dict[str, Any]:
        """The result of the run that `about` describes, made now unless its file is there.

        kind: how its file's name begins. about, and what `make` gives: documents that JSON can
        hold. Raises HideError naming a file that this class did not write.
        """
        said = json.dumps([_FORM, kind, about], sort_keys=True)
        path = self._folder / f"{kind}-{hashlib.sha256(said.encode()).hexdigest()[:16]}.json"
        if path.exists():
            return _read(path)
        self._folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"run": about, "result": make()}, indent=1)
        beside = path.with_suffix(".partial")
        beside.write_text(text)
        beside.replace(path)  # at once: an interrupted run leaves no half of a file
        result: dict[str, Any] = json.loads(text)["result"]
        return result


def _read(path: Path) -> dict[str, Any]:
    try:
        result = json.loads(path.read_text())["result"]
    except (ValueError, KeyError, TypeError) as error:
        raise HideError(f"{path} is no finished run: delete it") from error
    if not isinstance(result, dict):
        raise HideError(f"{path} is no finished run: delete it")
    return result
