"""What parties have to keep in something that is watched, looked at by somebody who has no part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, suppress
from typing import Any

from offchain.storage import (
    ContentError,
    Datastore,
    DatastoreUnavailable,
    Network,
    Node,
    cid_from_digest,
)
from offchain.storage.retention import Promise
from offchain.task import MAX_TASK_BYTES, Task, TaskError
from scripts._stage.market import Open
from scripts._stage.party import PartyTelling
from scripts._stage.reading import reading_store
from scripts._stage.retention import Looking

ROUNDS = 3
"""Looks that one needs from the task to what is named in what the task names."""

More = Callable[[Datastore, Any, Set[str]], Sequence[Promise]]


class Content:
    """The task of `one`, the documents that it names, and what a mechanism knows of besides.

    Attributes:
        more: of the datastore, the session, and the CIDs that could be fetched so far: what else
            has to be kept. Waits for nothing.
    """

    more: More | None = None

    def __init__(self, store: Node, one: Open, telling: PartyTelling) -> None:
        self._store, self._one = store, one
        self._looking = Looking(store, telling)
        self._task: Task | None = None

    def look(self, session: Any, *, whole: bool = False) -> None:
        """Tells what is missing, and what was found again; whole: waits until that is known."""
        for _ in range(ROUNDS if whole else 1):
            self._looking.at(lambda: self.promised(session), now=whole)
            while whole and self._looking.under_way:
                self._looking.at(tuple, wait=1)

    def promised(self, session: Any) -> list[Promise]:
        """What has to be kept, as far as it is known, and found out by one's own node."""
        cid, by, reached = cid_from_digest(self._one.task), self._one.author, self._looking.reached
        found = [Promise(cid, by, "task")]
        if self._task is None and cid in reached:
            try:
                self._task = Task.from_bytes(self._store.get(cid, MAX_TASK_BYTES))
            except (TaskError, ContentError, DatastoreUnavailable):
                return found
        if self._task is not None:
            found += [Promise(one, by, name) for name, one in self._task.documents.items()]
        with suppress(DatastoreUnavailable):  # nothing is known of anybody then
            if self._task is not None:
                self._store.connect(self._task.peers)
            found += self.more(self._store, session, reached) if self.more else ()
        return found


@contextmanager
def watched_content(
    one: Open, ipfs: str | None, network: Network, as_json: bool
) -> Iterator[Content]:
    """Of something open, by a node of one's own."""
    with reading_store(ipfs, network) as store:
        yield Content(store, one, PartyTelling(as_json=as_json))
