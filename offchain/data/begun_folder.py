"""A folder that is written a shard at a time, and has its name when it is whole."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from offchain.data.imageset import DataError
from offchain.files import write_whole

_MARK = ".begun"


class BegunFolder:
    """`folder`, which has its name once `finish` is called.

    Until then all lies in `place`, beside it, and who was killed goes on after the shards that are
    `done`; `end` is what was noted with the last of them.

    about: what is written; what was begun about something else is thrown away. Raises DataError
    where `folder` exists.
    """

    def __init__(self, folder: Path, about: bytes) -> None:
        if folder.exists():
            raise DataError(f"{folder} exists: name a folder that does not")
        self.place = folder.with_name(f".{folder.name}.new")
        self._folder = folder
        self._about = hashlib.sha256(about).hexdigest()
        self.done, self.end = self._begun()
        if not self.done:
            self.discard()

    def note(self, end: int = 0) -> None:
        """One more shard is written."""
        self.done, self.end = self.done + 1, end
        write_whole(self.place / _MARK, f"{self._about} {self.done} {end}".encode())

    def finish(self) -> None:
        """Gives the folder its name."""
        (self.place / _MARK).unlink()
        self.place.rename(self._folder)

    def discard(self) -> None:
        """Removes all that was written."""
        shutil.rmtree(self.place, ignore_errors=True)

    def _begun(self) -> tuple[int, int]:
        try:
            about, done, end = (self.place / _MARK).read_text().split()
            return (int(done), int(end)) if about == self._about else (0, 0)
        except (OSError, ValueError):
            return 0, 0
