"""What buyer and seller tell each other off the chain, as values that a post carries.

A role that was killed reads its letters again, so a letter stays where it was put. What is large
lies in the datastore, and the letter has its CID. The post answers for a letter's sender
(`offchain.post`): the roles take it for what `sender` said, and hold what it says against the
chain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any

from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical
from offchain.post import MAX_BODY_BYTES
from offchain.post import Letter as Carried
from offchain.storage import InvalidCid, digest_of


@dataclass(frozen=True)
class Offer:
    """A seller hands over the encrypted samples of a dataset. file: their CID."""

    dataset: bytes
    file: str


@dataclass(frozen=True)
class Invitation:
    """A buyer asks for a quote. artefact: CID of the order's artefact, sealed to the seller."""

    order: bytes
    dataset: bytes
    artefact: str


@dataclass(frozen=True)
class Proposal:
    """A seller says what its dataset fetches, before anybody signs.

    Attributes:
        order, dataset: their ids.
        artefact: CID in the invitation that it answers.
        price: smallest unit.
        expiry: Unix seconds.
        scores: root of the running totals, 32 zero bytes where the artefact has no tree.
        leaves: CID of all leaves under that root, "" where there are none.
    """

    order: bytes
    dataset: bytes
    artefact: str
    price: int
    expiry: int
    scores: bytes
    leaves: str


@dataclass(frozen=True)
class Agreement:
    """A buyer signs a proposal. digest: what is signed; signature: 65 bytes r, s, v."""

    order: bytes
    dataset: bytes
    digest: bytes
    signature: bytes


@dataclass(frozen=True)
class Question:
    """A buyer asks what a dataset would add to its model as it is after its purchases.

    Attributes:
        order, dataset: their ids.
        bought: sets bought under the order so far.
        artefact: CID of an artefact of the present model, sealed to the seller.
        until: the buyer waits for an answer until then, Unix seconds.
    """

    order: bytes
    dataset: bytes
    bought: int
    artefact: str
    until: int


@dataclass(frozen=True)
class Answer:
    """A seller says what its dataset would add; nothing is bound by it.

    steps: what it would fetch by the artefact of the question, in steps above the floor
        (`offchain.mde.coarse`).
    """

    order: bytes
    dataset: bytes
    bought: int
    steps: int


Message = Offer | Invitation | Proposal | Agreement | Question | Answer

_KINDS = {
    kind.__name__: kind for kind in (Offer, Invitation, Proposal, Agreement, Question, Answer)
}
_READ: dict[str, type] = {
    "bytes": str,
    "str": str,
    "int": int,
}


@dataclass(frozen=True)
class Letter:
    """A message with the 0x accounts of who says it and to whom."""

    sender: str
    to: str
    message: Message

    def body(self) -> bytes:
        """The letter as it is carried, but for its sender, whom the post knows."""
        said = {
            field.name: _plain(getattr(self.message, field.name)) for field in fields(self.message)
        }
        document = {"kind": type(self.message).__name__, "said": said}
        return to_canonical(document | {"to": self.to})

    @classmethod
    def read(cls, sender: str, body: bytes) -> Letter:
        """The letter of which `body` wrote this. Raises DocumentError for any other bytes, and for
        text that is no CID: it is told to people, and asked of nodes."""
        document = from_canonical(body, "letter", MAX_BODY_BYTES)
        kind, said, to = take(document, "letter", kind=str, said=dict, to=str)
        if kind not in _KINDS:
            raise DocumentError(f"letter: there is no kind {kind!r:.40}")
        message: type[Any] = _KINDS[kind]
        types = {field.name: str(field.type) for field in fields(message)}
        values = take(said, kind, **{name: _READ[type_] for name, type_ in types.items()})
        try:
            read = [
                bytes.fromhex(value) if type_ == "bytes" else value
                for type_, value in zip(types.values(), values, strict=True)
            ]
        except ValueError as error:
            raise DocumentError(f"{kind}: words are hex digits") from error
        try:
            # All text is CIDs; of leaves there may be none.
            for name, value in zip(types, values, strict=True):
                if types[name] == "str" and (name, value) != ("leaves", ""):
                    digest_of(value)
        except InvalidCid as error:
            raise DocumentError(f"{kind}: {error}") from error
        return cls(sender, to, message(*read))


class Reading:
    """Reads what a post carried, each letter once, however often it is asked.

    Anybody can write anything under an order: it costs whoever reads one look.
    """

    def __init__(self) -> None:
        self._read: dict[Carried, Letter | None] = {}

    def letters(self, carried: Iterable[Carried]) -> list[Letter]:
        """In their order; what is no letter is passed over."""
        return [letter for one in carried if (letter := self._letter(one)) is not None]

    def _letter(self, one: Carried) -> Letter | None:
        if one not in self._read:
            try:
                self._read[one] = Letter.read(one.sender, one.body)
            except DocumentError:
                self._read[one] = None
        return self._read[one]


def readable(carried: Iterable[Carried]) -> list[Letter]:
    """What a post carried, read once."""
    return Reading().letters(carried)


@dataclass(frozen=True)
class Tell:
    """What a role wants done where nothing goes to the chain: carry these letters."""

    letters: tuple[Letter, ...]


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
