"""How long a collector waits for one stranger's content, by this machine's own clock.

Who serves a thousand shards, each just before a node gives up, takes hours. So each candidate has
its share of the time that is left to choose, and a review what is left of its window.
"""

from __future__ import annotations

from time import monotonic

from offchain.storage import ContentMissing

LEAST_SECONDS = 1.0
"""What is waited even in the last moment, for what one's own node has already."""


class Patience:
    """Seconds that begin now, LEAST_SECONDS at least."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(seconds, LEAST_SECONDS)
        self._until = monotonic() + self.seconds

    @property
    def left(self) -> float:
        """Seconds; negative when they are over."""
        return self._until - monotonic()

    def check(self, got: int, asked: int) -> None:
        """Raises ContentMissing, with how much came of how much, when the time is over."""
        if self.left < 0:
            raise ContentMissing(f"{got} of {asked} shards came within {self.seconds:.0f} s")

    def still(self) -> None:
        """Raises ContentMissing when the time is over before all that came was looked at."""
        if self.left < 0:
            raise ContentMissing(f"not all that came could be looked at in {self.seconds:.0f} s")
