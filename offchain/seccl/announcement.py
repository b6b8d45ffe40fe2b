"""What a server announces before it has members: a session follows from it and from who joins.

One canonical document, named by the board's event. Who applies agrees to it; once the session is
open, it is compared with what follows from the announcement and the members that were taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from offchain.crypto import commitments as cm
from offchain.models.canonical import DocumentError, from_canonical, take, to_canonical
from offchain.seccl.board import Board
from offchain.seccl.description import Description, majority
from offchain.seccl.messages import LEAST_MARGIN, BoardError, SessionTerms
from offchain.seccl.session import Session
from offchain.storage import Datastore, cid_from_digest, cid_of, digest_of

MAX_ANNOUNCEMENT_BYTES = 10_000
LEAST_MEMBERS, MOST_MEMBERS = 3, 1_024
"""Of a session: fewer elect nobody, more no consensus takes."""
TO_OPEN = 5 * LEAST_MARGIN
"""Seconds between the last application and the first window, in which the session is opened."""

_TYPE = "souk.seccl.announcement.v1"
_WHAT = "an announcement"


@dataclass(frozen=True)
class Announcement:
    """What those who apply agree to.

    Attributes:
        server: 0x address. least, most: members. until: applications are taken before, in Unix
            seconds. start: the first round's uploads open.
        rounds, upload_time, evaluation_time, response_time, bond, token: as SessionTerms has them.
        batched: whether both kinds of messages are posted in batches. stake: what each member gets
            when the server is convicted. elected: share of the members that is elected a round.
        about: all else, without members, winners and quorum.

    Raises DocumentError where no session can follow.
    """

    server: str
    least: int
    most: int
    until: int
    start: int
    rounds: int
    upload_time: int
    evaluation_time: int
    response_time: int
    batched: bool
    stake: int
    bond: int
    token: str
    elected: float
    about: Description

    def __post_init__(self) -> None:
        if not LEAST_MEMBERS <= self.least <= self.most <= MOST_MEMBERS:
            raise DocumentError(
                f"{_WHAT}: {self.least} to {self.most} members, must be {LEAST_MEMBERS} to "
                f"{MOST_MEMBERS}"
            )
        if self.until + TO_OPEN > self.start:
            raise DocumentError(
                f"{_WHAT}: rounds start at {self.start}, must be {TO_OPEN} s after applications "
                f"end, at {self.until}"
            )
        if not 0 < self.elected < 1:
            raise DocumentError(f"{_WHAT}: {self.elected} of the members is no share between 0, 1")
        if self.winners(self.least) >= self.least:
            raise DocumentError(
                f"{_WHAT}: {self.elected:g} of {self.least} members elects all of them"
            )
        if self.about.members or self.about.winners or self.about.quorum:
            raise DocumentError(f"{_WHAT} names no members, winners and quorum")
        try:
            self._terms(self.least, bytes(32), bytes(32))
        except BoardError as error:
            raise DocumentError(f"{_WHAT}: {error}") from error

    def agreed(self, board: Board, members: Sequence[str]) -> tuple[SessionTerms, Description]:
        """The session of these members, in whatever order: 0x addresses. Raises BoardError."""
        members = sorted(members, key=lambda one: int(one, 16))
        if not self.least <= len(members) <= self.most:
            raise BoardError(f"{len(members)} members, must be {self.least} to {self.most}")
        about = replace(
            self.about,
            members=tuple(members),
            winners=self.winners(len(members)),
            quorum=majority(len(members)),
        )
        root = cm.root_of(board.member_leaves(members))
        document = digest_of(cid_of(about.to_bytes()))
        return self._terms(len(members), root, document), about

    def check(self, session: Session) -> None:
        """Raises BoardError where a session is not what follows from this announcement."""
        if self.agreed(session.board, session.description.members) != (
            session.terms,
            session.description,
        ):
            raise BoardError(
                f"session 0x{session.id.hex()} has other terms than {self.server} announced"
            )

    def winners(self, members: int) -> int:
        """How many are elected a round, of so many."""
        return winners(self.elected, members)

    @property
    def task(self) -> bytes:
        """The digest in the CID of the task document."""
        return bytes.fromhex(self.about.task)

    def to_bytes(self) -> bytes:
        """The document as canonical JSON, the same bytes for the same announcement."""
        return to_canonical({"type": _TYPE, **asdict(self), "about": self.about.document()})

    @classmethod
    def from_bytes(cls, data: bytes) -> Announcement:
        """The inverse of `to_bytes`, of untrusted bytes. Raises DocumentError."""
        document = from_canonical(data, _WHAT, MAX_ANNOUNCEMENT_BYTES)
        batched = document.pop("batched", None) if isinstance(document, dict) else None
        kinds: dict[str, type | tuple[type, ...]] = dict.fromkeys(
            (
                *("least", "most", "until", "start", "rounds", "upload_time"),
                *("evaluation_time", "response_time", "stake", "bond"),
            ),
            int,
        )
        kinds |= {"type": str, "server": str, "token": str, "elected": (int, float), "about": dict}
        values: dict[str, Any] = dict(zip(kinds, take(document, _WHAT, **kinds), strict=True))
        if values.pop("type") != _TYPE or not isinstance(batched, bool):
            raise DocumentError(f"{_WHAT} has the type {_TYPE}, and is batched or not")
        return cls(**values | {"about": Description.of(values["about"]), "batched": batched})

    def _terms(self, members: int, root: bytes, document: bytes) -> SessionTerms:
        return SessionTerms(
            server=self.server,
            member_root=root,
            members=members,
            rounds=self.rounds,
            start=self.start,
            upload_time=self.upload_time,
            evaluation_time=self.evaluation_time,
            response_time=self.response_time,
            batched_uploads=self.batched,
            batched_evaluations=self.batched,
            stake=self.stake * members,
            bond=self.bond,
            document=document,
            token=self.token,
        )


def winners(share: float, members: int) -> int:
    """How many of so many members are elected a round: the share of them, one at least."""
    return max(1, round(share * members))


def publish_announcement(store: Datastore, announced: Announcement) -> bytes:
    """Stores an announcement and returns its id: the digest in its CID."""
    return digest_of(store.put(announced.to_bytes()))


def fetch_announcement(store: Datastore, id_: bytes) -> Announcement:
    """The announcement with that id. Raises DocumentError and what the datastore raises."""
    return Announcement.from_bytes(store.get(cid_from_digest(id_), MAX_ANNOUNCEMENT_BYTES))
