"""What came and was not taken yet, bounded for each sender and in all."""

from __future__ import annotations

from collections import Counter, deque
from threading import Lock

MOST_WAITING = 2_048
MOST_OF_ONE = 512
MOST_AT_ONCE = 256


class Inbox:
    """Messages in the order in which they came. What is too much is dropped as it comes.

    A sender here is the node that a message began at, which nodes sign; so whoever floods fills
    its own share, a quarter, and needs many nodes to fill all.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._of: Counter[str] = Counter()
        self._lock = Lock()

    def add(self, sender: str, message: bytes) -> bool:
        """Keeps a message; False where it is dropped."""
        with self._lock:
            if len(self._waiting) >= MOST_WAITING or self._of[sender] >= MOST_OF_ONE:
                return False
            self._waiting.append((sender, message))
            self._of[sender] += 1
            return True

    def take(self) -> list[bytes]:
        """The oldest messages, `MOST_AT_ONCE` at most, which then are gone from here."""
        with self._lock:
            taken = [self._waiting.popleft() for _ in range(min(MOST_AT_ONCE, len(self._waiting)))]
            for sender, _ in taken:
                self._of[sender] -= 1
                if not self._of[sender]:
                    del self._of[sender]
            return [message for _, message in taken]
