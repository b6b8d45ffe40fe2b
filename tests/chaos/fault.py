"""What every kind of fault is made of."""

from __future__ import annotations

from collections import Counter
from random import Random
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.chaos.stage import Stage


class Moments:
    """Requests at which something happens: some draw of requests apart, so many times at most."""

    def __init__(self, random: Random, least: int, most: int, times: int) -> None:
        self._random, self._range, self._left = random, (least, most), times
        self._next = random.randint(least, most)

    def come(self) -> bool:
        """Whether this request is one."""
        self._next -= 1
        if self._next > 0 or not self._left:
            return False
        self._left -= 1
        self._next = self._random.randint(*self._range)
        return True


class Fault:
    """Nothing goes wrong.

    Attributes:
        name: of the kind, told: in words. strikes: how often it struck, by party.
        stage: what it may strike.
        keeps: whether the chain's state must outlive its node. settles_after: blocks after which
        all parties see what there is, and nothing takes it back.
    """

    name = "none"
    told = "nothing"
    keeps = False
    settles_after = 0
    stage: Stage

    def __init__(self, seed: int, parties: tuple[str, ...]) -> None:
        self.strikes: Counter[str] = Counter()
        self.lock = Lock()
        self.randoms = {one: Random(f"{self.name} {seed} {one}") for one in parties}

    def on(self, stage: Stage) -> None:
        """Where it strikes from now on."""
        self.stage = stage

    def struck(self, party: str) -> None:
        """Counts one more."""
        with self.lock:
            self.strikes[party] += 1

    def before(self, party: str, call: dict[str, Any]) -> None:
        """A request for the node. Raises Busy, HungUp, Told."""

    def after(self, party: str, call: dict[str, Any]) -> None:
        """The node did what it was asked to. Raises HungUp."""

    def stored(self, party: str, path: str) -> str | None:
        """A request for the datastore: None, or what becomes of it: slow, full, gone, lie."""
        return None

    def skew(self, party: str) -> int:
        """Seconds by which a party's clock is ahead."""
        return 0
