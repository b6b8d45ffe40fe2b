"""How the templates of reports are found."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def environment() -> Environment:
    """The templates of this folder; what is put into them is escaped."""
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_together(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write `files`, by name, into `folder`, made if missing; their paths, in the same order.

    Files of these names are replaced, others stay. All are written beside their places before the
    first is put there. Where anything fails, the folder is as it was, and gone if it was made.
    Raises OSError.
    """
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as beside:
            _put_there(folder, files, Path(beside))
    except BaseException:
        for one in made:
            with contextlib.suppress(OSError):
                one.rmdir()
        raise
    return [folder / name for name in files]


def _put_there(folder: Path, files: Mapping[str, bytes], beside: Path) -> None:
    """Writes all `files` to the empty folder `beside`, then moves them, or none, to `folder`."""
    old, new = beside / "old", beside / "new"
    old.mkdir()
    new.mkdir()
    for name, content in files.items():
        (new / name).write_bytes(content)
        if (folder / name).exists():
            shutil.copy2(folder / name, old / name)
    try:
        for name in files:
            (new / name).replace(folder / name)
    except BaseException:
        for name in files:
            if (old / name).exists():
                (old / name).replace(folder / name)
            elif not (new / name).exists():
                (folder / name).unlink(missing_ok=True)
        raise
