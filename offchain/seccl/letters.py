"""What server and members write to each other off the chain: small, canonical, each of its type.

Who wrote a letter the carrier tells. Nothing rests on it but where it is said: a message has its
author's signature, a receipt the server's, a ballot its voter's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical
from offchain.post import Post, PostFull
from offchain.seccl import actions as do
from offchain.seccl.ballots import Ballot, Form
from offchain.seccl.description import bytes_in
from offchain.seccl.documents import SignedReceipt
from offchain.seccl.messages import MessageKind, PostKey, Receipt
from offchain.storage.places import MAX_PEER, MAX_PEERS, is_place

MAX_LETTER_BYTES = 4_096


class Line(Protocol):
    """Carries letters between those who share a topic, as far as it can: some never arrive."""

    def send(self, content: bytes) -> None:
        """Sends a letter of `MAX_LETTER_BYTES` at most, signed by whoever has this line."""

    def received(self) -> Sequence[tuple[str, bytes]]:
        """(0x address of who wrote it, content) of what is new since this was asked last, one's own
        letters included; at first all there are, from earlier lives too."""


@dataclass(frozen=True)
class Application:
    """Somebody wants to become a member; peers: multiaddresses of its node."""

    announcement: bytes
    peers: tuple[str, ...]


@dataclass(frozen=True)
class Here:
    """Where the writer's node is reached, so that others find what it holds: multiaddresses."""

    peers: tuple[str, ...]


@dataclass(frozen=True)
class Sent:
    """A member's message: its place, its hash, the digest in its content's CID, its signature."""

    key: PostKey
    message: bytes
    content: bytes
    authored: bytes


@dataclass(frozen=True)
class Given:
    """The server's receipt for a message."""

    signed: SignedReceipt


@dataclass(frozen=True)
class Handed:
    """What a member has to cast, for the server to carry."""

    ballot: do.Carried


Letter = Application | Here | Sent | Given | Handed


def written(letter: Letter) -> bytes:
    """A letter as canonical JSON."""
    match letter:
        case Application(announcement, peers):
            said: list[Any] = [announcement.hex(), list(peers)]
        case Here(peers):
            said = list(peers)
        case Sent(key, message, content, authored):
            said = [*_place(key), message.hex(), content.hex(), authored.hex()]
        case Given(SignedReceipt(receipt, signature)):
            words = receipt.message.hex(), receipt.deadline, signature.hex()
            said = [*_place(receipt.key), *words]
        case Handed(do.SignedBallot(round_, voter, ballot, r, vs)):
            said = ["ballot", round_, voter, *_ballot(ballot), r.hex(), vs.hex()]
        case Handed(do.SignedCommitment(round_, voter, commitment, r, vs)):
            said = ["commitment", round_, voter, commitment.hex(), r.hex(), vs.hex()]
        case Handed(do.Reveal(round_, voter, ballot, salt)):
            said = ["opening", round_, voter, *_ballot(ballot), salt.hex()]
    return to_canonical({"type": _TYPES[type(letter)], "said": said})


def read_letter(content: bytes) -> Letter:
    """The inverse of `written`, of a stranger's bytes. Raises DocumentError."""
    document = from_canonical(content, "a letter", MAX_LETTER_BYTES)
    kind, said = take(document, "a letter", type=str, said=list)
    try:
        letter = _READERS[kind](said)
    except (KeyError, TypeError, ValueError) as error:
        raise DocumentError(f"{kind!r:.60} of {said!r:.60} is no letter") from error
    if written(letter) != content:
        raise DocumentError("a letter that is not in its one form")
    return letter


_TYPES: dict[type, str] = {
    kind: f"souk.seccl.{name}.v1"
    for kind, name in (
        (Application, "application"),
        (Here, "here"),
        (Sent, "sent"),
        (Given, "receipt"),
        (Handed, "ballot"),
    )
}


def _place(key: PostKey) -> list[str | int]:
    return [key.session.hex(), key.round, int(key.kind), key.author]


def _ballot(ballot: Ballot) -> list[str | int]:
    return [int(ballot.form), ballot.content.hex()]


def _application(said: list[Any]) -> Application:
    announcement, peers = said
    return Application(_word(announcement), _peers(peers))


def _peers(said: list[Any]) -> tuple[str, ...]:
    if len(said) > MAX_PEERS or not all(
        isinstance(one, str) and len(one) <= MAX_PEER and is_place(one) for one in said
    ):
        raise ValueError(f"at most {MAX_PEERS} peers, each a multiaddress")
    return tuple(said)


def _sent(said: list[Any]) -> Sent:
    *place, message, content, authored = said
    return Sent(_key(place), _word(message), _word(content), _bytes(authored, 65))


def _given(said: list[Any]) -> Given:
    *place, message, deadline, signature = said
    receipt = Receipt(_key(place), _word(message), _number(deadline, 2**40))
    return Given(SignedReceipt(receipt, _bytes(signature, 65)))


def _handed(said: list[Any]) -> Handed:
    kind, round_, voter, *rest = said
    who = _number(round_, 2**16), _number(voter, 2**16)
    if kind == "commitment":
        commitment, r, vs = map(_word, rest)
        return Handed(do.SignedCommitment(*who, commitment, r, vs))
    form, content, *words = rest
    ballot = Ballot(Form(form), _bytes(content))
    if kind == "opening":
        (salt,) = map(_word, words)
        return Handed(do.Reveal(*who, ballot, salt))
    if kind != "ballot":
        raise ValueError(f"{kind!r:.20} is nothing that is cast")
    r, vs = map(_word, words)
    return Handed(do.SignedBallot(*who, ballot, r, vs))


_READERS: dict[str, Callable[[list[Any]], Letter]] = {
    _TYPES[Application]: _application,
    _TYPES[Here]: lambda said: Here(_peers(said)),
    _TYPES[Sent]: _sent,
    _TYPES[Given]: _given,
    _TYPES[Handed]: _handed,
}


def _key(place: list[Any]) -> PostKey:
    session, round_, kind, author = place
    return PostKey(
        _word(session), _number(round_, 2**16), MessageKind(kind), _number(author, 2**16)
    )


def _number(value: Any, limit: int) -> int:
    if type(value) is not int or not 0 <= value < limit:
        raise ValueError(f"{value!r:.40} is no number below {limit}")
    return value


def _word(text: Any) -> bytes:
    return _bytes(text, 32)


def _bytes(text: Any, length: int | None = None) -> bytes:
    found = bytes_in(text)
    if length is not None and len(found) != length:
        raise ValueError(f"{text!r:.40} has not {length} bytes")
    return found


class PostLine:
    """A post as a line: what of its letters is new."""

    def __init__(self, post: Post) -> None:
        self._post, self._place = post, 0

    def send(self, content: bytes) -> None:
        """Sends a letter, unless there are as many as the post keeps: then it never arrives."""
        with suppress(PostFull):
            self._post.send(content)

    def received(self) -> Sequence[tuple[str, bytes]]:
        """As Line has it. Raises DatastoreUnavailable."""
        letters = self._post.letters()
        fresh, self._place = letters[self._place :], len(letters)
        return [(letter.sender, letter.body) for letter in fresh]
