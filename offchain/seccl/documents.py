"""The documents of a session's rounds in the datastore: catalogues and evaluations.

Both are canonical JSON. A catalogue is named by the transaction that posts what it lists, an
evaluation by the board, as every message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical
from offchain.seccl.ballots import MAX_SCORE
from offchain.seccl.messages import MessageKind, PostKey, Receipt

_ENTRY_BYTES = 640
_CATALOGUE = "souk.seccl.catalogue.v2"
_EVALUATION = "souk.seccl.evaluation.v1"


@dataclass(frozen=True)
class SignedReceipt:
    """A server's receipt and its signature: 65 bytes, r, s, v."""

    receipt: Receipt
    signature: bytes


@dataclass(frozen=True)
class Entry:
    """One message of a catalogue: whose, its hash, the digest in its content's CID, its author's
    signature of place and hash, the receipt's deadline and signature."""

    author: int
    message: bytes
    content: bytes
    authored: bytes
    deadline: int
    signature: bytes


@dataclass(frozen=True)
class Catalogue:
    """What the server says lies at the places of one round and kind, in the order in which it took
    the messages."""

    session: bytes
    round: int
    kind: MessageKind
    entries: tuple[Entry, ...]

    def receipts(self) -> dict[int, SignedReceipt]:
        """The receipts in it by author; nobody has checked their signatures."""
        return {
            entry.author: SignedReceipt(
                Receipt(self.key(entry.author), entry.message, entry.deadline), entry.signature
            )
            for entry in self.entries
        }

    def hashes(self, members: int) -> list[bytes | None]:
        """The message of each member, None for none, as a batch takes them."""
        listed = {entry.author: entry.message for entry in self.entries}
        return [listed.get(member) for member in range(members)]

    def to_bytes(self) -> bytes:
        """The document as canonical JSON, the same bytes for the same catalogue."""
        return to_canonical(
            {
                "type": _CATALOGUE,
                "session": self.session.hex(),
                "round": self.round,
                "kind": int(self.kind),
                "entries": [
                    [
                        e.author,
                        e.message.hex(),
                        e.content.hex(),
                        e.authored.hex(),
                        e.deadline,
                        e.signature.hex(),
                    ]
                    for e in self.entries
                ],
            }
        )

    @classmethod
    def from_bytes(
        cls, data: bytes, session: bytes, round_: int, kind: MessageKind, members: int
    ) -> Catalogue:
        """The inverse of `to_bytes`, of untrusted bytes, for that session, round and kind.

        Raises DocumentError.
        """
        what = "a catalogue"
        document = from_canonical(data, what, max_catalogue_bytes(members))
        *head, listed = take(
            document, what, type=str, session=str, round=int, kind=int, entries=list
        )
        if head != [_CATALOGUE, session.hex(), round_, int(kind)]:
            raise DocumentError(f"{what} of another session, round or kind: {head!r:.200}")
        entries = tuple(_entry(item) for item in listed)
        authors = [entry.author for entry in entries]
        if len(set(authors)) < len(authors) or not set(authors) <= set(range(members)):
            raise DocumentError(f"{what} lists authors below {members} once")
        return cls(session, round_, kind, entries)

    def key(self, author: int) -> PostKey:
        """The place of one author's message."""
        return PostKey(self.session, self.round, self.kind, author)


def max_catalogue_bytes(members: int) -> int:
    """Longest catalogue read, in bytes."""
    return _ENTRY_BYTES * (members + 1)


def _entry(item: Any) -> Entry:
    try:
        author, message, content, authored, deadline, signature = item
        words = map(bytes.fromhex, (message, content, authored, signature))
        entry = Entry(author, next(words), next(words), next(words), deadline, next(words))
    except (TypeError, ValueError) as error:
        raise DocumentError(f"{item!r:.60} is no entry of a catalogue") from error
    parts = entry.message, entry.content, entry.authored, entry.signature
    numbers = type(entry.author) is int and type(entry.deadline) is int
    if (
        [len(part) for part in parts] != [32, 32, 65, 65]
        or not numbers
        or not 0 <= entry.deadline < 2**40
    ):
        raise DocumentError(f"{item!r:.60} is no entry of a catalogue")
    return entry


@dataclass(frozen=True)
class Evaluation:
    """A message of type (b): what a member holds of every upload of a round.

    scores: macro F-scores in steps of 1/65,535, by member; 0 for its own and for what it refused.
    """

    round: int
    author: int
    scores: tuple[int, ...]

    @classmethod
    def of(
        cls, round_: int, author: int, scores: Sequence[float], refused: Iterable[int]
    ) -> Evaluation:
        """scores: 0 to 1, by member. Raises ValueError where one is not."""
        left_out = {author, *refused}
        steps = []
        for member, score in enumerate(scores):
            if not 0 <= score <= 1:
                raise ValueError(f"score {score} of member {member} is not between 0 and 1")
            steps.append(0 if member in left_out else round(score * MAX_SCORE))
        return cls(round_, author, tuple(steps))

    def to_bytes(self) -> bytes:
        """The message as canonical JSON, the same bytes for the same evaluation."""
        fields: Mapping[str, object] = asdict(self) | {"scores": list(self.scores)}
        return to_canonical({"type": _EVALUATION, **fields})

    @classmethod
    def from_bytes(cls, data: bytes, round_: int, author: int, members: int) -> Evaluation:
        """The inverse of `to_bytes`, of untrusted bytes, for that round and author.

        Raises DocumentError.
        """
        what = "an evaluation"
        document = from_canonical(data, what, max_evaluation_bytes(members))
        *head, scores = take(document, what, type=str, round=int, author=int, scores=list)
        if head != [_EVALUATION, round_, author]:
            raise DocumentError(f"{what} of another round or author: {head!r:.100}")
        if len(scores) != members:
            raise DocumentError(f"{what} has {members} scores, not {len(scores)}")
        for score in scores:
            if type(score) is not int or not 0 <= score <= MAX_SCORE:
                raise DocumentError(f"{what}: a score is 0 to {MAX_SCORE}, not {score!r:.60}")
        if scores[author]:
            raise DocumentError(f"{what}: member {author} gives itself {scores[author]}")
        return cls(round_, author, tuple(scores))


def max_evaluation_bytes(members: int) -> int:
    """Longest evaluation read, in bytes."""
    return 200 + 8 * members
