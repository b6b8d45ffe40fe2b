"""Where the nodes of a session's parties are, as they say themselves."""

from __future__ import annotations

from offchain.storage import Datastore

MOVED_SECONDS = 300
"""Between two places of one party to which it is followed: nobody crowds out the others' by saying
again and again that it has moved."""


class Places:
    """The newest place of each party, and which of them the own node was told."""

    def __init__(self, store: Datastore) -> None:
        self._store = store
        self._newest: dict[str, tuple[str, ...]] = {}
        self._told: dict[str, int] = {}

    def heard(self, party: str, peers: tuple[str, ...]) -> None:
        """A party's node is at these multiaddresses, wherever it was before."""
        self._newest[party.lower()] = peers

    def call(self, now: int) -> None:
        """Tells the own node of what is new, which calls them by itself. now: Unix seconds.

        Raises DatastoreUnavailable; what was not told then is told the next time.
        """
        for party, peers in list(self._newest.items()):
            if now >= self._told.get(party, 0) + MOVED_SECONDS:
                self._store.connect(peers)
                self._told[party] = now
                del self._newest[party]
