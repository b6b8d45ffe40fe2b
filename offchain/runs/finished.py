"""Results of finished runs on disk, so that none is lost and none is done twice."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from joblib import Memory  # type: ignore[import-untyped, unused-ignore]

R = TypeVar("R")


class Finished:
    """The results under `folder`, each a file of its own by what decided it.

    A run is named by `about`: whatever JSON can say, frozen dataclasses among it. Files are named
    by its SHA-256 and do not tell it. A file appears whole or not at all; one that cannot be read
    counts as not there, and a warning names it. Several processes may use one folder. Results are
    anything but None that can be pickled, and of no class of a module that is run by itself, where
    other processes do not find it. Whoever can write to the folder is trusted.
    """

    def __init__(self, folder: Path, version: int) -> None:
        """version: to be raised when the same `about` would give another result."""
        self._version = version
        self._call = Memory(folder, verbose=0).cache(_made, ignore=["make"])

    def get(self, about: object) -> Any:
        """The result of the run; None where it is not finished."""
        key = self._key(about)
        if not self._call.check_call_in_cache(key, _nothing):
            return None
        kept = self._call.call_and_shelve(key, _nothing)
        try:
            return kept.get()
        # What a spoiled file makes pickle raise depends on where it is spoiled.
        except Exception as error:
            folder = Path(kept.store_backend.location, kept.func_id, kept.args_id)
            warnings.warn(f"{folder} is no finished run, and is run again: {error!r}", stacklevel=2)
            kept.clear()
            return None

    def once(self, about: object, make: Callable[[], R]) -> R:
        """The result of the run, made and kept now unless it is finished."""
        found: R | None = self.get(about)
        if found is not None:
            return found
        result = make()
        self._call(self._key(about), lambda: result)
        return result

    def _key(self, about: object) -> str:
        said = json.dumps([self._version, about], sort_keys=True, default=_said)
        return hashlib.sha256(said.encode()).hexdigest()


def _made(key: str, make: Callable[[], Any]) -> Any:
    """What joblib calls and keeps by `key`; a change of these lines empties every folder."""
    return make()


def _nothing() -> None:
    """Stands where joblib asks for a function and does not call it."""


def _said(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return {type(value).__name__: {one.name: getattr(value, one.name) for one in fields(value)}}
    raise TypeError(f"{type(value).__name__} does not name a run: {value!r}")
