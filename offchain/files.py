"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_whole(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Writes beside `path`, flushes to the disk, then renames; makes the folder where it is absent.

    Whoever opens `path`, though the machine stopped meanwhile, finds the old file or the new one.
    mode: permissions of the file, of which the umask takes its part.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    # The new name is on disk once its folder is.
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_together(folder: Path, files: Mapping[str, bytes], mode: int = 0o666) -> list[Path]:
    """Writes `files`, by name, into `folder`, made if missing; their paths, in the same order.

    Files of these names are replaced, others stay. All are written beside their places before the
    first is put there. Where anything fails, the folder is as it was, and gone if it was made.
    mode: permissions of the files, of which the umask takes its part. Raises OSError.
    """
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".writing-", dir=folder) as beside:
            _put_there(folder, files, Path(beside), mode)
    except BaseException:
        for one in made:
            with contextlib.suppress(OSError):
                one.rmdir()
        raise
    return [folder / name for name in files]


def _put_there(folder: Path, files: Mapping[str, bytes], beside: Path, mode: int) -> None:
    """Writes all `files` to the empty folder `beside`, then moves them, or none, to `folder`."""
    old, new = beside / "old", beside / "new"
    old.mkdir()
    new.mkdir()
    for name, content in files.items():
        (new / name).touch(mode)
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
