"""What lies on the board at one round and kind, fetched from the datastore and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from offchain.crypto import commitments as cm
from offchain.models.canonical import DocumentError
from offchain.roles import Recover
from offchain.seccl.board import same_on_board
from offchain.seccl.documents import (
    Catalogue,
    SignedReceipt,
    max_evaluation_bytes,
)
from offchain.seccl.listed import ReadingError, batch_leaves, fetch_catalogue
from offchain.seccl.messages import NO_MESSAGE, MessageKind, PostKey
from offchain.seccl.session import Session
from offchain.seccl.updates import max_update_bytes
from offchain.storage import ContentError, Datastore, cid_from_digest


@dataclass(frozen=True)
class Reading:
    """One round and kind.

    receipts: from catalogues that fit the posts, by author; their signatures are not checked.
    leaves: of the batch, by author; None where there is no batch or none could be rebuilt.
    listed: the server's messages as they were posted, by author.
    hashes: the messages that count, by author.
    contents: the message that counts, by author, its hash compared with the board's.
    missing: why there is none, by author, where something was posted.
    unsigned: authors for whom the server posted what they did not sign; it counts for nothing.
    order: the authors whose messages count, in the order in which they were posted: as on the
        board, and within a batch as the server says that it took them.
    trouble: why the server's catalogue is of no use, "" where it is.
    cids: of the catalogues and contents that were read and fit the board.
    """

    receipts: Mapping[int, SignedReceipt] = field(default_factory=dict)
    listed: Mapping[int, bytes] = field(default_factory=dict)
    hashes: Mapping[int, bytes] = field(default_factory=dict)
    leaves: tuple[bytes, ...] | None = None
    contents: Mapping[int, bytes] = field(default_factory=dict)
    missing: Mapping[int, str] = field(default_factory=dict)
    unsigned: frozenset[int] = frozenset()
    order: tuple[int, ...] = ()
    trouble: str = ""
    cids: frozenset[str] = frozenset()

    def path(self, author: int) -> tuple[bytes, ...]:
        """From the author's leaf to the batch's root. Raises ReadingError without a batch."""
        if self.leaves is None:
            raise ReadingError("no leaves of the batch are known")
        return tuple(cm.path(self.leaves, author))


def hidden(session: Session, uploads: Reading, author: int) -> str:
    """Why an upload that is or may be on the board is not to be had; "" where it is, or is none.

    What lies in a batch that nobody is shown may be anybody's who did not post itself.
    """
    if author in uploads.contents or author in uploads.unsigned:
        return ""
    unknown = uploads.trouble if session.terms.batched(MessageKind.UPLOAD) else ""
    return uploads.missing.get(author, unknown)


def is_signed(session: Session, signed: SignedReceipt, recover: Recover) -> bool:
    """Whether the signer of its round signed the receipt for this session's board."""
    signer = recover(session.board.typed_data(signed.receipt), signed.signature)
    expected = session.signer(signed.receipt.key.round)
    return signer is not None and signer.lower() == expected.lower()


def is_authored(
    session: Session, key: PostKey, message: bytes, signature: bytes, recover: Recover
) -> bool:
    """Whether the member whose place it is signed a message's hash for that place."""
    signer = recover(session.board.authored(key, message), signature)
    return signer is not None and signer.lower() == session.description.members[key.author].lower()


def read(
    session: Session, round_: int, kind: MessageKind, store: Datastore, recover: Recover
) -> Reading:
    """All that was posted at a round and kind.

    What an author posted itself counts, or else what the server posted and the author signed.
    Content that is missing,
    too large or of another hash than the board's is left out, with the reason. Raises
    DatastoreUnavailable where one's own node does not answer.
    """
    trouble, leaves, catalogues, cids = "", None, [], set()
    lost: dict[int, str] = {}
    if session.terms.batched(kind):
        batch = session.batches.get((round_, kind))
        if batch is not None:
            try:
                listed = _catalogue(session, batch.document, round_, kind, store)
                leaves = batch_leaves(session.board, listed, session.members, batch.root)
                catalogues = [listed]
                cids.add(cid_from_digest(batch.document))
            except (ContentError, DocumentError, ReadingError) as error:
                trouble = f"the catalogue of the batch cannot be used: {error}"
    else:
        for author, post in session.posted(round_, kind, own=False).items():
            try:
                listed = _catalogue(session, post.document, round_, kind, store)
                message = listed.hashes(session.members)[author]
                if message is None or not same_on_board(message, post.message):
                    raise ReadingError(f"it does not list what was posted for member {author}")
                catalogues.append(listed)
                cids.add(cid_from_digest(post.document))
            except (ContentError, DocumentError, ReadingError) as error:
                trouble = lost[author] = f"the catalogue of a post cannot be used: {error}"
    receipts: dict[int, SignedReceipt] = {}
    wanted: dict[int, tuple[bytes, bytes]] = {}  # hash and digest by author
    posted: dict[int, bytes] = {}
    unsigned = set()
    for listed in catalogues:
        for entry in listed.entries:
            posted[entry.author] = entry.message
            key = listed.key(entry.author)
            if is_authored(session, key, entry.message, entry.authored, recover):
                wanted[entry.author] = entry.message, entry.content
            else:
                unsigned.add(entry.author)
        receipts.update(listed.receipts())
    for author, post in session.posted(round_, kind, own=True).items():
        wanted[author] = post.message, post.document
        unsigned.discard(author)
    contents, missing = _contents(session, round_, kind, wanted, store)
    missing = {i: why for i, why in lost.items() if i not in wanted} | missing
    hashes = {author: message for author, (message, _) in wanted.items()}
    cids |= {cid_from_digest(wanted[author][1]) for author in contents}
    listed_first = catalogues if session.terms.batched(kind) else []
    order = session.order(
        round_, kind, [entry.author for batch in listed_first for entry in batch.entries]
    )
    order = tuple(author for author in order if author in hashes)
    return Reading(
        receipts,
        posted,
        hashes,
        leaves,
        contents,
        missing,
        frozenset(unsigned),
        order,
        trouble,
        frozenset(cids),
    )


def absent(session: Session, round_: int, reading: Reading) -> dict[int, tuple[bytes, ...]]:
    """Members of whom the board has no upload in a round, as far as that can be shown to it, each
    with the path of its empty leaf in the batch; without siblings where there is no batch.

    reading: of the round's uploads, whose window is over. Whose leaf nobody was shown is not among
    them, nor is for whom the server posted what it did not sign.
    """
    kind = MessageKind.UPLOAD
    own = session.posted(round_, kind, own=True)
    if not session.terms.batched(kind):
        there = own.keys() | session.posted(round_, kind, own=False).keys()
        return {i: () for i in range(session.members) if i not in there}
    missing = [i for i in range(session.members) if i not in own]
    if (round_, kind) not in session.batches:
        return dict.fromkeys(missing, ())
    if reading.leaves is None:
        return {}
    listed = reading.listed
    return {i: reading.path(i) for i in missing if listed.get(i, NO_MESSAGE) == NO_MESSAGE}


def max_message_bytes(session: Session, kind: MessageKind) -> int:
    """Longest message of a kind, in bytes."""
    if kind == MessageKind.UPLOAD:
        return max_update_bytes(session.description.parameters, session.description.share)
    return max_evaluation_bytes(session.members)


def _catalogue(
    session: Session, digest: bytes, round_: int, kind: MessageKind, store: Datastore
) -> Catalogue:
    return fetch_catalogue(store, session.id, session.members, digest, round_, kind)


def _contents(
    session: Session,
    round_: int,
    kind: MessageKind,
    wanted: Mapping[int, tuple[bytes, bytes]],
    store: Datastore,
) -> tuple[dict[int, bytes], dict[int, str]]:
    contents, missing = {}, {}
    limit = max_message_bytes(session, kind)
    for author, (message, digest) in sorted(wanted.items()):
        try:
            content = store.get(cid_from_digest(digest), limit)
        except ContentError as error:
            missing[author] = str(error)
            continue
        found = session.board.message_hash(session.key(round_, kind, author), content)
        if not same_on_board(found, message):
            missing[author] = "its content has another hash than the board"
            continue
        contents[author] = content
    return contents, missing
