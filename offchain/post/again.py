"""When a letter that others lack is sent again: soon, then less and less often."""

from __future__ import annotations

import random
from collections.abc import Iterator

FIRST_SECONDS, LAST_SECONDS = 1.0, 60.0
"""Between two sendings of one letter: the least, doubled each time, and the most."""
OTHERS_SECONDS = 1.0
"""How long somebody else's letter waits for him to send it, or for another who has it."""
MOST_AT_ONCE = 64
MOST_HEARD = 3

Key = tuple[bytes, int]
"""Line and number of a letter."""


class Again:
    """Letters that somebody lacks, and when each is sent.

    Whoever asks for all letters all the time gets each once a minute in the end.
    """

    def __init__(self, own: bytes, seed: int | None = None) -> None:
        """own: the 20 bytes of whose letters are sent at once."""
        self._own = own
        self._random = random.Random(seed)
        self._due: dict[Key, float] = {}
        self._heard: dict[Key, int] = {}
        self._sent: dict[Key, tuple[float, float]] = {}

    def want(self, key: Key, now: float) -> None:
        """Somebody lacks a letter; `now` in seconds of any clock."""
        if key in self._due:
            return
        wait = 0.0 if self._is_own(key) else self._random.uniform(0, OTHERS_SECONDS)
        last, pause = self._sent.get(key, (-LAST_SECONDS, FIRST_SECONDS))
        self._due[key] = max(now + wait, last + pause)

    def sent(self, key: Key, now: float) -> None:
        """A letter went to all from here."""
        self._due.pop(key, None)
        self._heard.pop(key, None)
        last, pause = self._sent.get(key, (-LAST_SECONDS, FIRST_SECONDS / 2))
        quiet = now - last > 2 * LAST_SECONDS
        self._sent[key] = (now, FIRST_SECONDS if quiet else min(2 * pause, LAST_SECONDS))

    def heard(self, key: Key) -> None:
        """A letter came from another, so that it need not go from here, too.

        It may have come here alone, from somebody who wants it to go nowhere else: hence one's own
        go all the same, and those of others after `MOST_HEARD` times.
        """
        if self._is_own(key) or key not in self._due or self._heard.get(key, 0) == MOST_HEARD:
            return
        self._heard[key] = self._heard.get(key, 0) + 1
        del self._due[key]

    def _is_own(self, key: Key) -> bool:
        return key[0].startswith(self._own)

    def due(self, now: float) -> Iterator[Key]:
        """Letters to send now, `MOST_AT_ONCE` at most, in order."""
        ready = sorted(key for key, time in self._due.items() if time <= now)
        yield from ready[:MOST_AT_ONCE]
