"""What server and members want done on chain; each is one call of the board or of the consensus.

`document`, where there is one, is the digest in a CID: the board only tells of it, and whoever
reads its event finds what was posted.
"""

from __future__ import annotations

from dataclasses import dataclass

from offchain.seccl.ballots import Ballot
from offchain.seccl.documents import SignedReceipt
from offchain.seccl.messages import MessageKind, PostKey

CLOSING = 256
"""Candidates that a call of a closing looks at."""


@dataclass(frozen=True)
class Post:
    """The server posts one message; `document` names a catalogue with this one entry."""

    key: PostKey
    message: bytes
    document: bytes


@dataclass(frozen=True)
class PostBatch:
    """The server posts all messages of a round and kind; `document` names their catalogue."""

    session: bytes
    round: int
    kind: MessageKind
    root: bytes
    document: bytes


@dataclass(frozen=True)
class PostOwn:
    """A member posts its message itself; `document` names the message."""

    key: PostKey
    message: bytes
    path: tuple[bytes, ...]
    document: bytes


@dataclass(frozen=True)
class ProveEquivocation:
    """The server signed two messages for one place."""

    one: SignedReceipt
    other: SignedReceipt


@dataclass(frozen=True)
class ProveAltered:
    """The server posted another message than it signed, singly."""

    receipt: SignedReceipt


@dataclass(frozen=True)
class ProveAlteredInBatch:
    """The server's batch has another message than it signed, or none (zero)."""

    receipt: SignedReceipt
    posted: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class ProveUnposted:
    """The server signed a message and posted nothing in time."""

    receipt: SignedReceipt


@dataclass(frozen=True)
class Challenge:
    """Member number `member` asks for a leaf of the batch at `key`; a bond goes with it."""

    key: PostKey
    member: int
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class Answer:
    """Show the leaf of a batch that somebody asked the server for."""

    key: PostKey
    message: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class AnswerMany:
    """Show all leaves that members asked for, in one call."""

    leaves: tuple[Answer, ...]


@dataclass(frozen=True)
class Settle:
    """The challenge at `key` was not answered in time, or its server is convicted: its bond goes
    back."""

    key: PostKey


@dataclass(frozen=True)
class ClaimShare:
    """A member has its share of a convicted server's stake paid to an account, a 0x address."""

    session: bytes
    member: int
    path: tuple[bytes, ...]
    to: str


@dataclass(frozen=True)
class ReplaceSigner:
    """The server has receipts of later rounds signed by another key, a 0x address."""

    session: bytes
    signer: str


@dataclass(frozen=True)
class WithdrawStake:
    """The server has its stake paid back to an account, a 0x address."""

    session: bytes
    to: str


@dataclass(frozen=True)
class OpenRound:
    """Anybody opens a round of ballots when its time has come."""

    round: int


@dataclass(frozen=True)
class ReportAbsent:
    """Take members that uploaded nothing out of a round's election: each with the path from its
    empty leaf to the root of the batch, without siblings where there is no batch."""

    round: int
    absent: tuple[tuple[int, tuple[bytes, ...]], ...]


@dataclass(frozen=True)
class SignedBallot:
    """A ballot that anybody may carry; r and vs as EIP-2098 has them."""

    round: int
    voter: int
    ballot: Ballot
    r: bytes
    vs: bytes


@dataclass(frozen=True)
class SignedCommitment:
    """A commitment to a hidden ballot that anybody may carry."""

    round: int
    voter: int
    commitment: bytes
    r: bytes
    vs: bytes


@dataclass(frozen=True)
class Reveal:
    """Open the ballot that `voter` committed to; anybody may who knows the salt."""

    round: int
    voter: int
    ballot: Ballot
    salt: bytes


Carried = SignedBallot | SignedCommitment | Reveal
"""What members give the server to carry."""


@dataclass(frozen=True)
class Relay:
    """The server carries ballots, all in one transaction."""

    ballots: tuple[Carried, ...]


@dataclass(frozen=True)
class Vote:
    """A member casts its ballot itself."""

    round: int
    voter: int
    ballot: Ballot


@dataclass(frozen=True)
class Commit:
    """A member commits to its hidden ballot itself."""

    round: int
    voter: int
    commitment: bytes


@dataclass(frozen=True)
class Close:
    """Anybody closes a round, so many candidates at a time."""

    round: int
    candidates: int


Accusation = ProveEquivocation | ProveAltered | ProveAlteredInBatch | ProveUnposted | Settle
"""What convicts a server."""

Action = (
    Post
    | PostBatch
    | PostOwn
    | Accusation
    | Challenge
    | Answer
    | AnswerMany
    | ClaimShare
    | ReplaceSigner
    | WithdrawStake
    | OpenRound
    | ReportAbsent
    | Relay
    | Vote
    | Commit
    | Reveal
    | Close
)
