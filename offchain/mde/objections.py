"""Why a role does not deal: for good, or until it looks again for what is only missing."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from offchain.storage import ContentMissing

FIRST_SECONDS = 30
"""Until content that is missing is looked for again; each time twice as long."""
MOST_SECONDS = 600

Key = TypeVar("Key", bound=Hashable)


class Objections(dict[Key, str], Generic[Key]):
    """One line for each thing that a role objects to.

    Whose content is missing may be back later: its node was away, or ours did not know it yet.
    """

    def __init__(self) -> None:
        super().__init__()
        self._again: dict[Key, tuple[int, int]] = {}

    def note(self, about: Key, error: Exception, now: int) -> None:
        """Objects because of an error. now: Unix seconds."""
        self[about] = str(error)
        if isinstance(error, ContentMissing):
            _, waited = self._again.get(about, (0, FIRST_SECONDS // 2))
            wait = min(2 * waited, MOST_SECONDS)
            self._again[about] = (now + wait, wait)
        else:
            self._again.pop(about, None)

    def hold(self, about: Key, now: int) -> bool:
        """Whether it is out of the question at `now`, in Unix seconds."""
        return about in self and not (about in self._again and now >= self._again[about][0])

    def turn(self, about: Key) -> int:
        """Who is looked at first has the least: 0 for what was never missing."""
        return self._again.get(about, (0, 0))[0]

    def lift(self, about: Key) -> None:
        """It turned up."""
        self.pop(about, None)
        self._again.pop(about, None)
