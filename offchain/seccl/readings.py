"""What lies on the board, read again only where it may have changed."""

from __future__ import annotations

import time

from offchain.roles import Recover
from offchain.seccl.messages import MessageKind
from offchain.seccl.reading import Reading, read
from offchain.seccl.session import Session
from offchain.storage import Datastore

RETRY_SECONDS = 60
"""Between two looks for content that is missing."""


class Readings:
    """Readings of one session by round and kind, kept as long as the board tells the same."""

    def __init__(self, store: Datastore, recover: Recover) -> None:
        self._store, self._recover = store, recover
        self._found: dict[tuple[int, MessageKind], tuple[object, Reading, int]] = {}

    def at(self, session: Session, round_: int, kind: MessageKind, now: int) -> Reading:
        """What lies there. now: Unix seconds. Raises DatastoreUnavailable."""
        told = (
            session.batches.get((round_, kind)),
            session.before_batch.get((round_, kind)),
            tuple(
                post for post in session.posts if (post.key.round, post.key.kind) == (round_, kind)
            ),
        )
        known = self._found.get((round_, kind))
        if known is not None and known[0] == told and (whole(known[1]) or now < known[2]):
            return known[1]
        begun = time.monotonic()
        reading = read(session, round_, kind, self._store, self._recover)
        # What is nowhere takes its time: most of it stays for what else is to be done.
        wait = max(RETRY_SECONDS, round(4 * (time.monotonic() - begun)))
        self._found[round_, kind] = told, reading, now + wait
        return reading


def whole(reading: Reading) -> bool:
    """Whether all that was posted there is to be had."""
    return not reading.trouble and not reading.missing
