"""Whether others keep what they promised to keep, and whether one's own content is still there.

Asking is cheap: of a few contents at a time, drawn so that nobody foresees which, one block each.
What one's own node has is in one's own hands and costs nothing to ask.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, runtime_checkable

from offchain.storage.datastore import ContentError, Datastore, DatastoreUnavailable
from offchain.storage.errands import Errands
from offchain.storage.ledger import Ledger

SOME = 8
"""Contents of others, and of one's own, at one look."""
_DRAWS = 2**64


@dataclass(frozen=True)
class Promise:
    """A content that somebody promised to keep.

    Attributes:
        by: 0x address, or who it is in words. what: it is, for people.
    """

    cid: str
    by: str
    what: str


@dataclass(frozen=True)
class Finding:
    """What a look found, as an event and its values.

    `missing`, `found_again`: of a promise. `content_lost`, `stored_again`, `not_stored_again`: of
    one's own, how many and the first of them.
    """

    event: str
    values: dict[str, Any] = field(default_factory=dict)


@runtime_checkable
class Promised(Protocol):
    """A role that knows what it was promised."""

    def promised(self) -> Sequence[Promise]:
        """What others have to keep at this moment, so that it can be fetched. Nothing is waited
        for. Raises DatastoreUnavailable."""


class Retention:
    """Looks after contents in `store`, by `look`, which waits for nothing.

    Attributes:
        missing: promises that were not kept at the last look at them, and why. reached: CIDs of
            those that were.
    """

    def __init__(
        self,
        store: Datastore,
        ledger: Ledger | None = None,
        *,
        seed: int | None = None,
        seconds: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """ledger: of what is one's own. seed: of what is drawn; without one nobody foresees it.

        seconds: between two looks, by `clock`.
        """
        self.missing: dict[Promise, str] = {}
        self.reached: set[str] = set()
        self._store, self._ledger, self._seconds, self._clock = store, ledger, seconds, clock
        self._random = random.Random(secrets.randbits(128) if seed is None else seed)
        self._errands: Errands[Hashable, Any] = Errands(SOME + 1)
        self._next = clock()
        self._lost: set[str] = set()
        self._hopeless: set[str] = set()

    def look(
        self,
        promised: Callable[[], Sequence[Promise]] = tuple,
        store_again: Callable[[], object] | None = None,
        *,
        now: bool = False,
        wait: float = 0.0,
    ) -> list[Finding]:
        """What earlier looks found by now; begins the next one where it is time.

        promised: what others have to keep. store_again: makes one's own contents once more of which
        there is no copy. now: begins one before it is time. wait: seconds to wait for what is under
        way. Raises what both raise.
        """
        found: list[Finding] = []
        if not self._errands.under_way and (now or self._clock() >= self._next):
            self._next = self._clock() + self._seconds
            self._begin(promised())
        for key, future in self._errands.ended(wait).items():
            try:
                result = future.result()
            except DatastoreUnavailable:
                continue  # one's own node: nothing is known of anybody
            except ContentError as error:
                result = error
            if isinstance(key, Promise):
                found += self._judged(key, result)
            elif key == "some" and result:
                self._errands.start("all", self._lost_of(self._own()))
            elif key == "all":
                found += self._restore(result, store_again)
            elif key == "restored":
                found += self._told(*result)
        return found

    @property
    def under_way(self) -> bool:
        """Whether a look has not ended."""
        return self._errands.under_way

    def _begin(self, promised: Sequence[Promise]) -> None:
        known = dict.fromkeys(promised)
        self.missing = {one: why for one, why in self.missing.items() if one in known}
        again = self._drawn(list(self.missing), SOME // 2)
        fresh = [one for one in known if one not in self.missing]
        for one in (*again, *self._drawn(fresh, SOME - len(again))):
            self._errands.start(one, partial(self._store.probe, one.cid, self._draw()))
        if own := self._drawn(self._own(), SOME):
            self._errands.start("some", self._lost_of(own))

    def _drawn(self, some: list[Any], most: int) -> list[Any]:
        return self._random.sample(some, min(most, len(some)))

    def _draw(self) -> int:
        return self._random.randrange(_DRAWS)

    def _own(self) -> list[str]:
        return [] if self._ledger is None else sorted(self._ledger.cids())

    def _lost_of(self, cids: list[str]) -> Callable[[], list[str]]:
        return partial(self._store.lost, cids, self._draw())

    def _judged(self, promise: Promise, error: ContentError | None) -> list[Finding]:
        values = {"cid": promise.cid, "by": promise.by, "what": promise.what}
        if error is None:
            self.reached.add(promise.cid)
            there = self.missing.pop(promise, None)
            return [] if there is None else [Finding("found_again", values)]
        self.reached.discard(promise.cid)
        told = promise in self.missing
        self.missing[promise] = str(error)
        return [] if told else [Finding("missing", {**values, "reason": str(error)})]

    def _restore(self, lost: list[str], again: Callable[[], object] | None) -> list[Finding]:
        assert self._ledger is not None
        if not lost:
            return []
        new = [cid for cid in lost if cid not in self._lost]
        self._lost.update(new)
        large = [c for c in lost if self._ledger.is_own(c) and self._ledger.copy_of(c) is None]
        if large and again:
            again()
        self._errands.start("restored", partial(self._restored, lost))
        return [_counted("content_lost", new)] if new else []

    def _restored(self, lost: list[str]) -> tuple[list[str], list[str]]:
        """Stores copies and pins what others have; all that was lost, and what still is."""
        assert self._ledger is not None
        asked = 0
        for cid in self._store.lost(lost, 0):
            copy = self._ledger.copy_of(cid)
            if copy is not None:
                self._store.put(copy)
            elif asked < SOME:  # others may have it; who has nothing keeps one waiting
                asked += 1
                with suppress(ContentError):
                    self._store.pin(cid)
        return lost, self._store.lost(lost, self._draw())

    def _told(self, lost: list[str], still: list[str]) -> list[Finding]:
        back = [cid for cid in lost if cid not in still]
        gone = [cid for cid in still if cid not in self._hopeless]
        self._lost.difference_update(back)
        self._hopeless.difference_update(back)
        self._hopeless.update(gone)
        told = {"stored_again": back, "not_stored_again": gone}
        return [_counted(event, cids) for event, cids in told.items() if cids]


def _counted(event: str, cids: list[str]) -> Finding:
    return Finding(event, {"contents": len(cids), "first": cids[0]})
