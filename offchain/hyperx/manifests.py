"""The manifests of a session's providers, as far as the collector's own node has them.

A provider that registers what is nowhere costs whoever looks for it a timeout, and registering
costs little. So manifests are looked for side by side; whose is there first is sampled first, and
those that are missing are looked for again as long as there is time to sample.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

from offchain.hyperx.manifest import Manifest, ManifestError
from offchain.hyperx.review import NOT_SEEN
from offchain.hyperx.safekeeping import keep_manifest, shards_promised
from offchain.hyperx.session import Member, Session
from offchain.storage import ContentError, Datastore
from offchain.storage.errands import Errands
from offchain.storage.retention import Promise
from offchain.task import Task

PARALLEL = 64
"""Manifests looked for at once. Where each takes the 30 s in which a node gives up, a thousand
accounts without one delay the next by eight minutes."""
SETTLE_SECONDS = 1.0
"""How long the first that are there wait for the others, so that the order is that of registration
where nothing is slow."""
LOOK_SECONDS = 5.0
"""How long a call waits where none is there."""

Registration = tuple[str, bytes, bytes, bytes]


class Manifests:
    """Of all that registered. By all that they registered: a reorganisation may change it."""

    def __init__(self, store: Datastore, most_bytes: int) -> None:
        self.store, self.most_bytes = store, most_bytes
        self._known: dict[Registration, Manifest | str] = {}
        self._missing: dict[Registration, str] = {}
        self._promised: dict[Registration, Sequence[Promise]] = {}
        self._errands: Errands[Registration, Manifest] = Errands(PARALLEL)

    def of(self, session: Session, member: Member, task: Task) -> Manifest | None:
        """The provider's, by own look if need be; None where `objection` says why."""
        key = _registration(member)
        if key not in self._known:
            self._take(key, self._look(session, member, task))
        found = self._known.get(key)
        return found if isinstance(found, Manifest) else None

    def ready(self, session: Session, members: Sequence[Member], task: Task) -> list[Member]:
        """Those of `members` whose manifest is here and in order; looks for the others'.

        Waits for a few seconds at most. Raises what the datastore raises where it fails itself.
        """
        for member in members:
            key = _registration(member)
            if key not in self._known:
                self._errands.start(key, self._look(session, member, task))
        until = time.monotonic() + LOOK_SECONDS
        self._collect(SETTLE_SECONDS)
        while not (found := self._in_order(members)) and self._errands.under_way:
            left = until - time.monotonic()
            if left <= 0:
                break
            self._collect(left, any_one=True)
        return found

    def promised(self, session: Session, member: Member) -> Sequence[Promise]:
        """The shards whose addresses the provider published, once its manifest is here."""
        key = _registration(member)
        if key not in self._promised:
            found = self._known.get(key)
            if not isinstance(found, Manifest):
                return ()
            self._promised[key] = shards_promised(self.store, session, member, found)
        return self._promised[key]

    def objection(self, member: Member) -> str:
        """Why `of` answers None, or what is known so far; empty where there is nothing to say."""
        key = _registration(member)
        known = self._known.get(key)
        return known if isinstance(known, str) else self._missing.get(key, "")

    def _look(self, session: Session, member: Member, task: Task) -> Callable[[], Manifest]:
        return partial(keep_manifest, self.store, session, member, task, self.most_bytes)

    def _in_order(self, members: Sequence[Member]) -> list[Member]:
        return [m for m in members if isinstance(self._known.get(_registration(m)), Manifest)]

    def _collect(self, seconds: float, *, any_one: bool = False) -> None:
        for key, future in self._errands.ended(seconds, any_one=any_one).items():
            self._take(key, future.result)

    def _take(self, key: Registration, result: Callable[[], Manifest]) -> None:
        try:
            self._known[key] = result()
        except NOT_SEEN as error:
            self._missing[key] = f"manifest: {error}"
        except (ManifestError, ContentError) as error:
            self._known[key] = f"manifest: {error}"


def _registration(member: Member) -> Registration:
    return member.account, member.manifest, member.key_root, member.address_root
