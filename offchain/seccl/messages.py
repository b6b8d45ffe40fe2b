"""What is said on a bulletin board, where and when: the types of ``contracts/seccl``.

SecCL, "Message interaction protocol".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from offchain.crypto.settlement import NATIVE, SHORTEST_WINDOW
from offchain.errors import SoukError

MEMBERS_LIMIT = 2**11 - 1
ROUNDS_LIMIT = 2**10 - 1
TIME_LIMIT = 2**20 - 1
"""Of windows for uploads and evaluations, in seconds: twelve days."""
LEAST_MARGIN = 10 * 12
"""Seconds in which a post gets into a block: ten of twelve seconds."""
NO_MESSAGE = bytes(32)
"""The leaf of a member without a message."""


class BoardError(SoukError):
    """Something that a board would not take, or that it does not say."""


class MessageKind(IntEnum):
    """The two kinds of messages: type (a), shared parameters, and type (b), evaluations."""

    UPLOAD = 0
    EVALUATION = 1


@dataclass(frozen=True)
class PostKey:
    """The place of one message: session id, round from 0, kind, index of the author."""

    session: bytes
    round: int
    kind: MessageKind
    author: int


@dataclass(frozen=True)
class SessionTerms:
    """What server and members agree on; fields as BoardTerms of IBulletinBoard.sol has them.

    Addresses are 0x strings, times Unix seconds, amounts wei or units of `token`; `document` is the
    digest in the CID of the session's description. Raises BoardError where the board would refuse
    the session.
    """

    server: str
    member_root: bytes
    members: int
    rounds: int
    start: int
    upload_time: int
    evaluation_time: int
    response_time: int
    batched_uploads: bool
    batched_evaluations: bool
    stake: int
    bond: int
    document: bytes
    token: str = NATIVE

    def __post_init__(self) -> None:
        for name, least, most in (
            ("members", 1, MEMBERS_LIMIT),
            ("rounds", 1, ROUNDS_LIMIT),
            ("upload_time", SHORTEST_WINDOW, TIME_LIMIT),
            ("evaluation_time", SHORTEST_WINDOW, TIME_LIMIT),
            ("response_time", SHORTEST_WINDOW, TIME_LIMIT),
        ):
            value = getattr(self, name)
            if not least <= value <= most:
                raise BoardError(f"{name} is {value}, must be in [{least}, {most}]")
        limit = min(self.upload_time, self.evaluation_time)
        if self.response_time > limit:
            raise BoardError(
                f"response_time is {self.response_time}, must be {limit} at most, as long as each "
                "window, so that members can ask for their leaf of every batch"
            )
        if not 0 <= self.start <= self.end < 2**32:
            raise BoardError(f"the session ends at {self.end}, must be below {2**32}")
        if not 0 <= self.stake < 2**96 or self.stake % self.members:
            raise BoardError(
                f"stake is {self.stake}, must be below 2^96 and a multiple of {self.members}"
            )
        share = self.stake // self.members
        if not 0 <= self.bond <= share:
            raise BoardError(f"bond is {self.bond}, must be in [0, {share}], a member's share")

    @property
    def end(self) -> int:
        """When the last round's evaluations end."""
        return self.start + self.rounds * (self.upload_time + self.evaluation_time)

    @property
    def accusation_end(self) -> int:
        """When accusations end and the stake is free."""
        return self.end + 3 * self.response_time

    def window(self, round_: int, kind: MessageKind) -> tuple[int, int]:
        """When messages of that round and kind are posted: [start, end)."""
        if not 0 <= round_ < self.rounds:
            raise BoardError(f"round {round_} out of range [0, {self.rounds})")
        opening = self.start + round_ * (self.upload_time + self.evaluation_time)
        middle = opening + self.upload_time
        if kind == MessageKind.UPLOAD:
            return opening, middle
        return middle, middle + self.evaluation_time

    def margin(self, kind: MessageKind) -> int:
        """Seconds before a post's deadline in which nobody relies on it any more.

        A post sent now lies in a later block. A fifth of half a window, ten blocks at least and an
        hour at most.
        """
        window = self.upload_time if kind == MessageKind.UPLOAD else self.evaluation_time
        return max(LEAST_MARGIN, min(window // 10, 3_600))

    def batched(self, kind: MessageKind) -> bool:
        """Whether that kind is posted as one batch a round."""
        return self.batched_uploads if kind == MessageKind.UPLOAD else self.batched_evaluations

    def words(self) -> tuple[int | bytes | str, ...]:
        """The terms in the order of BoardTerms."""
        return (
            self.server,
            self.member_root,
            self.members,
            self.rounds,
            self.start,
            self.upload_time,
            self.evaluation_time,
            self.response_time,
            self.batched_uploads,
            self.batched_evaluations,
            self.stake,
            self.bond,
            self.token,
        )


@dataclass(frozen=True)
class Posted:
    """The event of one message on the board; `own` where its author posted it itself."""

    key: PostKey
    message: bytes
    own: bool


@dataclass(frozen=True)
class BatchPosted:
    """The event of a batch on the board."""

    session: bytes
    round: int
    kind: MessageKind
    root: bytes


@dataclass(frozen=True)
class Receipt:
    """The server's word that the message at `key` is `message`, on the board before `deadline`."""

    key: PostKey
    message: bytes
    deadline: int

    def fields(self) -> dict[str, int | bytes]:
        """What is signed, by its EIP-712 names."""
        return {
            "session": self.key.session,
            "round": self.key.round,
            "kind": int(self.key.kind),
            "author": self.key.author,
            "message": self.message,
            "deadline": self.deadline,
        }
