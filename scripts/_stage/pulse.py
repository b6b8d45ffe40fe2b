"""What whoever runs a party sees of it, and how it is woken and ended: a bot does that."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Event


class Stopped(Exception):
    """Somebody asked the party to end; nothing is lost, and it goes on when it is begun again."""


class Pulse:
    """Rest, which others cut short. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._beat = Event()
        self._ended = False

    def rest(self, seconds: float) -> None:
        """Lets `seconds` pass, or what is left until the next beat. Raises Stopped."""
        if not self._ended:
            self._beat.wait(seconds)
            self._beat.clear()
        if self._ended:
            raise Stopped

    def beat(self) -> None:
        """Something happened: whoever rests looks at once."""
        self._beat.set()

    def end(self) -> None:
        """Whoever rests, now or later, stops."""
        self._ended = True
        self._beat.set()


PULSE = Pulse()
"""Of the party that this process plays."""


@dataclass
class Standing:
    """How a party stands.

    Attributes:
        account: 0x address, "" before it plays. until: when what it waits for happens, in Unix
            seconds, if anything does. sent: transactions. errors: refusals and silences.
    """

    account: str = ""
    until: int | None = None
    sent: int = 0
    errors: int = 0


STANDING = Standing()
"""Of the party that this process plays."""
