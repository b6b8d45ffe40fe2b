"""What a batch on the board lists: its catalogue, fetched, and its leaves, held against its root.

Whoever reads this much needs no key of anybody's, and nothing that computes.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import NamedTuple

from offchain.crypto import commitments as cm
from offchain.errors import SoukError
from offchain.models.canonical import DocumentError
from offchain.seccl.board import Board, same_on_board
from offchain.seccl.documents import Catalogue, max_catalogue_bytes
from offchain.seccl.messages import MessageKind
from offchain.storage import ContentError, Datastore, cid_from_digest
from offchain.storage.errands import Errands

PARALLEL = 8
"""Catalogues that are fetched at once."""
LOOK_SECONDS = 10.0
"""For all that are wanted at one look; what takes longer is there at a later one."""


class ReadingError(SoukError):
    """A post behind which there is not what its poster promised; one line for people."""


def fetch_catalogue(
    store: Datastore, session: bytes, members: int, digest: bytes, round_: int, kind: MessageKind
) -> Catalogue:
    """The catalogue whose CID has that digest. members: how many the session has.

    Raises DocumentError, and what the datastore raises.
    """
    data = store.get(cid_from_digest(digest), max_catalogue_bytes(members))
    return Catalogue.from_bytes(data, session, round_, kind, members)


def batch_leaves(board: Board, listed: Catalogue, members: int, root: bytes) -> tuple[bytes, ...]:
    """The leaves of a batch with this root. Raises ReadingError where they have another."""
    hashes = listed.hashes(members)
    leaves = board.batch_leaves(listed.session, listed.round, listed.kind, hashes)
    if not same_on_board(cm.root_of(leaves), root):
        raise ReadingError("what it lists is not what was posted")
    return tuple(leaves)


class Batch(NamedTuple):
    """A batch on the board. members: how many its session has. document: digest in the CID of its
    catalogue."""

    session: bytes
    round: int
    kind: MessageKind
    members: int
    document: bytes


class Catalogues:
    """Catalogues of many sessions' batches, fetched side by side: those that are nowhere, whoever
    posted them, keep nobody waiting for longer than `seconds` a look.

    Attributes:
        found: those that are wanted and there.
    """

    def __init__(self, store: Datastore, seconds: float = LOOK_SECONDS) -> None:
        self.found: dict[Batch, Catalogue] = {}
        self._store, self._seconds = store, seconds
        self._errands: Errands[Batch, Catalogue] = Errands(PARALLEL)

    def look(self, wanted: Collection[Batch]) -> None:
        """Fetches what is wanted and not there. Raises DatastoreUnavailable."""
        self.found = {one: self.found[one] for one in wanted if one in self.found}
        for one in wanted:
            if one not in self.found:
                self._errands.start(one, partial(self._fetch, one))
        for one, future in self._errands.ended(self._seconds).items():
            try:
                self.found[one] = future.result()
            except (ContentError, DocumentError):
                continue  # its server's fault; it is looked for again as long as it is wanted

    def _fetch(self, one: Batch) -> Catalogue:
        return fetch_catalogue(
            self._store, one.session, one.members, one.document, one.round, one.kind
        )
