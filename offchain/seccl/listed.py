"""What a batch on the board lists: its catalogue, fetched, and its leaves, held against its root.

Whoever reads this much needs no key of anybody's, and nothing that computes.
"""

from __future__ import annotations

from offchain.crypto import commitments as cm
from offchain.errors import SoukError
from offchain.seccl.board import Board, same_on_board
from offchain.seccl.documents import Catalogue, max_catalogue_bytes
from offchain.seccl.messages import MessageKind
from offchain.storage import Datastore, cid_from_digest


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
