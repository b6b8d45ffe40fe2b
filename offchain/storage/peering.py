"""Peers that a node stays connected to: called in the background, again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from threading import Event, Lock, Thread

MOST_PEERS = 64
"""Called at once, of those that were met. Whoever takes a call and says nothing holds up one place
of them, and no other."""


class Peering:
    """Calls peers when they are added, and again and again, until it is closed."""

    def __init__(self, dial: Callable[[str], object], seconds: float) -> None:
        """dial: connects to a peer, or fails. seconds: between two calls of a peer; one that
        started again is found by then."""
        self._dial, self._seconds = dial, seconds
        self._places: list[str] = []
        self._known: set[str] = set()
        self._oldest = 0
        self._lock, self._closed = Lock(), Event()

    def keep(self, peers: Sequence[str]) -> None:
        """Calls one's own peers, at multiaddresses that end in their names, as long as it is
        open."""
        for peer in dict.fromkeys(peers):
            self._known.add(peer)
            self._begin(partial(str, peer))

    def add(self, peers: Sequence[str]) -> None:
        """Calls also these, and returns at once. Of more than `MOST_PEERS` those that were added
        first are called no more; they stay connected as they are."""
        with self._lock:
            for peer in dict.fromkeys(peers):
                if peer in self._known or peer in self._places:
                    continue
                if len(self._places) < MOST_PEERS:
                    place = len(self._places)
                    self._places.append(peer)
                    self._begin(partial(self._places.__getitem__, place))
                else:
                    self._places[self._oldest] = peer
                    self._oldest = (self._oldest + 1) % MOST_PEERS

    def close(self) -> None:
        """Calls no more."""
        self._closed.set()

    def _begin(self, peer: Callable[[], str]) -> None:
        Thread(target=self._stay, args=(peer,), daemon=True).start()

    def _stay(self, peer: Callable[[], str]) -> None:
        while not self._closed.is_set():
            with suppress(Exception):  # whatever is wrong with an address ends no other's calls
                self._dial(peer())
            self._closed.wait(self._seconds)
