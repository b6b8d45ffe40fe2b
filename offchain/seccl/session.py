"""A session of collaborative training as the events of board and consensus tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, field, fields

from offchain.crypto import commitments as cm
from offchain.seccl.ballots import Ballot
from offchain.seccl.board import Board
from offchain.seccl.description import Description
from offchain.seccl.messages import (
    BatchPosted,
    BoardError,
    MessageKind,
    Posted,
    PostKey,
    SessionTerms,
)


@dataclass(frozen=True)
class PostedAt(Posted):
    """One message on the board; `document` is the digest in a CID: of its content where its author
    posted it, else of a catalogue."""

    document: bytes


@dataclass(frozen=True)
class BatchPostedAt(BatchPosted):
    """A batch on the board; `document` is the digest in its catalogue's CID."""

    document: bytes


@dataclass(frozen=True)
class Challenged:
    """A member wants to see a leaf before `deadline`, in Unix seconds."""

    key: PostKey
    challenger: str
    deadline: int


@dataclass(frozen=True)
class Answered:
    """The server showed the leaf of a batch that it was asked for."""

    key: PostKey
    message: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True)
class ChallengeReturned:
    """A challenger has its bond back."""

    key: PostKey


@dataclass(frozen=True)
class ServerFaulty:
    """The server was convicted; fault 0 to 3: equivocated, altered, unposted, unanswered."""

    accuser: str
    fault: int
    key: PostKey
    signed: bytes
    found: bytes
    share: int


@dataclass(frozen=True)
class SignerReplaced:
    """Receipts of this round and later ones are signed by `signer`, a 0x address."""

    round: int
    signer: str


@dataclass(frozen=True)
class ShareClaimed:
    """A member was paid its share of the stake, in wei."""

    member: int
    amount: int


@dataclass(frozen=True)
class StakeWithdrawn:
    """The server got its stake back."""

    amount: int


@dataclass(frozen=True)
class RoundOpened:
    """Ballots, or commitments to them, are taken until `ballot_end`, openings until `reveal_end`,
    both in Unix seconds and equal where ballots are open; `seed` breaks ties."""

    round: int
    opener: str
    seed: bytes
    ballot_end: int
    reveal_end: int


@dataclass(frozen=True)
class ReportedAbsent:
    """A member uploaded nothing in the round, and cannot be elected in it."""

    round: int
    member: int


@dataclass(frozen=True)
class Committed:
    """A member committed to a hidden ballot."""

    round: int
    voter: int
    commitment: bytes


@dataclass(frozen=True)
class BallotCounted:
    """A voter's ballot was counted in a round."""

    round: int
    voter: int
    ballot: Ballot


@dataclass(frozen=True)
class RoundClosed:
    """A round closed. winners, points: of those elected, the highest first."""

    round: int
    ballots: int
    winners: tuple[int, ...]
    points: tuple[int, ...]


FAULTS = ("equivocated", "altered a message", "posted nothing in time", "did not show a leaf")

Event = (
    PostedAt
    | BatchPostedAt
    | Challenged
    | Answered
    | ChallengeReturned
    | ServerFaulty
    | SignerReplaced
    | ShareClaimed
    | StakeWithdrawn
    | RoundOpened
    | ReportedAbsent
    | Committed
    | BallotCounted
    | RoundClosed
)


@dataclass
class Session:
    """What is agreed on, and all that has happened.

    before_batch: how many of `posts` are older than a batch.

    Raises BoardError when terms, description and id do not belong together: who joins checks it.
    """

    board: Board
    id: bytes
    terms: SessionTerms
    description: Description
    posts: list[PostedAt] = field(default_factory=list)
    batches: dict[tuple[int, MessageKind], BatchPostedAt] = field(default_factory=dict)
    before_batch: dict[tuple[int, MessageKind], int] = field(default_factory=dict)
    challenges: dict[PostKey, Challenged] = field(default_factory=dict)
    answers: dict[PostKey, Answered] = field(default_factory=dict)
    returned: set[PostKey] = field(default_factory=set)
    signers: dict[int, str] = field(default_factory=dict)
    fault: ServerFaulty | None = None
    shares: dict[int, int] = field(default_factory=dict)
    withdrawn: bool = False
    opened: dict[int, RoundOpened] = field(default_factory=dict)
    absent: dict[int, set[int]] = field(default_factory=dict)
    committed: dict[int, dict[int, bytes]] = field(default_factory=dict)
    ballots: dict[int, dict[int, Ballot]] = field(default_factory=dict)
    closed: dict[int, RoundClosed] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.board.session_id(self.terms) != self.id:
            raise BoardError(f"the terms are not those of session 0x{self.id.hex()}")
        members = self.description.members
        if len(members) != self.terms.members:
            raise BoardError(
                f"{len(members)} members are listed, {self.terms.members} were agreed on"
            )
        self._leaves = self.board.member_leaves(members)
        if cm.root_of(self._leaves) != self.terms.member_root:
            raise BoardError("the listed members are not those of the session")

    def forget(self) -> None:
        """All that has happened: a reorganisation may have undone it."""
        for one in fields(self):
            if one.default_factory is not MISSING:
                setattr(self, one.name, one.default_factory())
        self.fault, self.withdrawn = None, False

    @property
    def members(self) -> int:
        """The number of members, which are numbered from 0."""
        return self.terms.members

    def key(self, round_: int, kind: MessageKind, author: int) -> PostKey:
        """The place of one author's message on this session's board."""
        return PostKey(self.id, round_, kind, author)

    def voting(self, round_: int) -> tuple[int, int, int]:
        """When a round's ballots open and end, and when openings of hidden ones end, in Unix
        seconds: as agreed on, whatever has happened."""
        opening = self.terms.window(round_, MessageKind.EVALUATION)[0]
        ballot_end = opening + self.description.ballot_time
        return opening, ballot_end, ballot_end + self.description.reveal_time

    def signer(self, round_: int) -> str:
        """0x address of the key that signs a round's receipts; once it has begun, for good."""
        since = [begun for begun in self.signers if begun <= round_]
        return self.signers[max(since)] if since else self.terms.server

    def member_path(self, index: int) -> tuple[bytes, ...]:
        """From a member's leaf to the root of members."""
        return tuple(cm.path(self._leaves, index))

    def apply(self, event: Event) -> None:
        """Notes what happened; events come in the order of the chain."""
        match event:
            case PostedAt():
                self.posts.append(event)
            case BatchPostedAt():
                self.batches[event.round, event.kind] = event
                self.before_batch[event.round, event.kind] = len(self.posts)
            case Challenged():
                self.challenges[event.key] = event
            case Answered():
                self.answers[event.key] = event
            case ChallengeReturned():
                self.returned.add(event.key)
            case SignerReplaced():
                self.signers[event.round] = event.signer
            case ServerFaulty():
                self.fault = event
            case ShareClaimed():
                self.shares[event.member] = event.amount
            case StakeWithdrawn():
                self.withdrawn = True
            case RoundOpened():
                self.opened[event.round] = event
            case ReportedAbsent():
                self.absent.setdefault(event.round, set()).add(event.member)
            case Committed():
                self.committed.setdefault(event.round, {})[event.voter] = event.commitment
            case BallotCounted():
                self.ballots.setdefault(event.round, {})[event.voter] = event.ballot
            case RoundClosed():
                self.closed[event.round] = event

    def posted(self, round_: int, kind: MessageKind, *, own: bool) -> dict[int, PostedAt]:
        """Single posts of a round and kind, by author: the server's, or the authors' own."""
        return {
            post.key.author: post
            for post in self.posts
            if (post.key.round, post.key.kind, post.own) == (round_, kind, own)
        }

    def order(self, round_: int, kind: MessageKind, listed: Sequence[int]) -> tuple[int, ...]:
        """The authors of a round and kind in the order in which what counts of theirs was posted.

        listed: the authors in the batch, in the order of its catalogue; none without a batch.
        """
        own = self.posted(round_, kind, own=True)
        places = [
            (number, 1, post.key.author)
            for number, post in enumerate(self.posts)
            if (post.key.round, post.key.kind) == (round_, kind)
            and (post.own or post.key.author not in own)
        ]
        batch = self.before_batch.get((round_, kind), 0)
        inside = [(batch, 0, author) for author in listed if author not in own]
        # Stable, so that within the batch the catalogue's order stays.
        return tuple(author for *_, author in sorted(inside + places, key=lambda one: one[:2]))
