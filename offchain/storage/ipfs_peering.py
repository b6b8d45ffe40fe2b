"""Peers that a node behind an HTTP RPC interface stays connected to, as long as somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Event, Lock, Thread

REDIAL_SECONDS = 10.0
"""A peer that started again is found by then; dialling one that is connected does nothing."""


class Peering:
    """Dials peers when they are added, and again and again, until it is closed."""

    def __init__(self, dial: Callable[[str], None]) -> None:
        """dial: connects to a peer, or fails without a word."""
        self._dial = dial
        self._peers: list[str] = []
        self._lock, self._closed = Lock(), Event()

    def add(self, peers: Sequence[str]) -> None:
        """Also to these, by their multiaddresses."""
        with self._lock:
            new = [one for one in dict.fromkeys(peers) if one not in self._peers]
            first = not self._peers
            self._peers += new
        for one in new:
            self._dial(one)
        if first and new:
            Thread(target=self._stay, daemon=True).start()

    def close(self) -> None:
        """Dials no more."""
        self._closed.set()

    def _stay(self) -> None:
        while not self._closed.wait(REDIAL_SECONDS):
            for one in list(self._peers):
                self._dial(one)
