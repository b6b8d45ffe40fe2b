"""A session of collaborative training without a chain: actions become events at once.

What the contracts refuse is not repeated here but where a test needs it: a place is posted to once,
and a convicted server posts no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from offchain.crypto import commitments as cm
from offchain.seccl import actions as do
from offchain.seccl import session as ev
from offchain.seccl.architectures import SMALL
from offchain.seccl.audit import rankings
from offchain.seccl.board import Board
from offchain.seccl.borda import Election
from offchain.seccl.description import Description
from offchain.seccl.journal import Journal, Promised
from offchain.seccl.messages import MessageKind, SessionTerms
from offchain.seccl.networks import default_factory
from offchain.seccl.parameters import Layout, initial_model, model_digest
from offchain.seccl.participant import Participant
from offchain.seccl.reading import Reading, read
from offchain.seccl.server import Server
from offchain.seccl.updates import SparseUpdate, largest_changes
from offchain.storage import cid_of, digest_of
from tests.kit.memory_store import MemoryStore
from tests.kit.wallets import KeyWallet, recover

UPLOAD, EVALUATION = MessageKind.UPLOAD, MessageKind.EVALUATION
MEMBERS, WINNERS, SHARE = 4, 2, 0.02
BOARD = Board(31337, "0x" + "b0" * 20)
CONSENSUS = "0x" + "c0" * 20
START, WINDOW, RESPONSE = 1_000_000, 6_000, 600
SEED = bytes(range(16))


class MemoryJournal(Journal):
    """A journal that nothing outlives: whoever has it forgets at a restart what it promised."""

    def __init__(self, session: bytes) -> None:
        super().__init__(Path("/nowhere"), session)

    def _write(self, round_: int, kind: MessageKind, page: Promised) -> None:
        self._pages[round_, kind] = page


SERVER = KeyWallet("server")
WALLETS = sorted(
    (KeyWallet(f"member {i}") for i in range(MEMBERS)), key=lambda one: int(one.address, 16)
)
_FACTORY = default_factory(2, (1, 16, 16))
LAYOUT = Layout.of(_FACTORY())
FIRST = initial_model(_FACTORY, 5)


def description(**changes: Any) -> Description:
    """Of four members who train a small network."""
    fields: dict[str, Any] = {
        "members": tuple(wallet.address for wallet in WALLETS),
        "consensus": CONSENSUS,
        "winners": WINNERS,
        "quorum": 1,
        "ballots": "open",
        "ballot_time": WINDOW,
        "reveal_time": 0,
        "screen": None,
        "parameters": LAYOUT.total,
        "share": SHARE,
        "network": SMALL,
        "model": model_digest(LAYOUT, FIRST),
        "classes": 2,
        "shape": (1, 16, 16),
        "seed": 5,
        "image_privacy": None,
        "batch": 32,
        "epochs": 1,
        "learning_rate": 0.02,
        "task": "7a" * 32,
    }
    if changes.get("ballots") == "hidden":
        fields |= {"ballot_time": WINDOW // 4, "reveal_time": WINDOW // 2}
    return Description(**fields | changes)


def new_session(batched: bool = True, about: Description | None = None) -> ev.Session:
    """One in which nothing has happened."""
    about = about or description()
    terms = SessionTerms(
        server=SERVER.address,
        member_root=cm.root_of(BOARD.member_leaves(description().members)),
        members=MEMBERS,
        rounds=3,
        start=START,
        upload_time=WINDOW,
        evaluation_time=WINDOW,
        response_time=RESPONSE,
        batched_uploads=batched,
        batched_evaluations=batched,
        stake=4 * MEMBERS,
        bond=1,
        document=digest_of(cid_of(about.to_bytes())),
    )
    return ev.Session(BOARD, BOARD.session_id(terms), terms, about)


def made_updates(round_: int) -> list[SparseUpdate]:
    """One a member, all different."""
    rng = torch.Generator().manual_seed(round_)
    return largest_changes(torch.randn(MEMBERS, LAYOUT.total, generator=rng) / 100, SHARE)


@dataclass
class Yard:
    """Server and members around one session; `server` may be a lying one."""

    session: ev.Session
    store: MemoryStore
    server: Server
    members: list[Participant]
    model: str = description().model

    @classmethod
    def new(
        cls,
        server: Any = Server,
        batched: bool = True,
        about: Description | None = None,
        journal: Journal | None = None,
        **more: Any,
    ) -> Yard:
        """server: its class. journal: in memory unless given."""
        session, store = new_session(batched, about), MemoryStore({})
        journal = journal or MemoryJournal(session.id)
        members = [
            Participant(session, i, wallet, recover, store) for i, wallet in enumerate(WALLETS)
        ]
        return cls(
            session, store, server(session, SERVER, recover, store, journal, **more), members
        )

    def upload(self, *, silent: int) -> None:
        """The uploads of round 0, by all but one member, and the server's post of them."""
        for member, update in zip(self.members, made_updates(0), strict=True):
            if member.index != silent:
                sent = member.upload(0, update, self.model)
                now = self.now(0, UPLOAD)
                member.keep(self.server.receive(sent.key, sent.content, sent.authored, now))
        for action in self.server.post(0, UPLOAD):
            self.apply(action)

    def apply(self, action: do.Action, who: str = SERVER.address) -> None:
        """What the contracts make of an action."""
        session = self.session
        match action:
            case do.PostBatch(id_, round_, kind, root, document):
                assert (round_, kind) not in session.batches
                session.apply(ev.BatchPostedAt(id_, round_, kind, root, document))
            case do.Post(key, message, document):
                session.apply(ev.PostedAt(key, message, False, document))
            case do.PostOwn(key, message, path, document):
                assert session.member_path(key.author) == path
                session.apply(ev.PostedAt(key, message, True, document))
            case do.Challenge(key, _, _):
                deadline = session.terms.window(key.round, key.kind)[0] + RESPONSE
                session.apply(ev.Challenged(key, who, deadline))
            case do.AnswerMany(leaves):
                for one in leaves:
                    self.apply(one)
            case do.Answer(key, message, path):
                session.apply(ev.Answered(key, message, path))
            case do.OpenRound(round_):
                _, *ends = session.voting(round_)
                session.apply(ev.RoundOpened(round_, who, SEED, *ends))
            case do.Relay(ballots):
                for one in ballots:
                    match one:
                        case do.SignedBallot(round_, voter, ballot):
                            self.apply(do.Vote(round_, voter, ballot))
                        case do.SignedCommitment(round_, voter, commitment):
                            self.apply(do.Commit(round_, voter, commitment))
                        case _:
                            self.apply(one)
            case do.ReportAbsent(round_, absent):
                for member, _ in absent:
                    session.apply(ev.ReportedAbsent(round_, member))
            case do.Commit(round_, voter, commitment):
                session.apply(ev.Committed(round_, voter, commitment))
            case do.Vote(round_, voter, ballot) | do.Reveal(round_, voter, ballot):
                session.apply(ev.BallotCounted(round_, voter, ballot))
            case do.Close(round_, _):
                election = Election(MEMBERS, WINNERS, SEED)
                absent = session.absent.get(round_, set())
                result = election.close(rankings(session, round_, election), absent=absent)
                words = result.ballots, result.winners, result.points
                session.apply(ev.RoundClosed(round_, *words))
            case (
                do.ProveEquivocation()
                | do.ProveAltered()
                | do.ProveAlteredInBatch()
                | do.ProveUnposted()
            ):
                twice = isinstance(action, do.ProveEquivocation)
                receipt = (action.one if twice else action.receipt).receipt
                fault = {do.ProveEquivocation: 0, do.ProveUnposted: 2}.get(type(action), 1)
                self._convict(who, fault, receipt.key)
            case do.Settle(key):
                if session.fault is None:
                    self._convict(who, 3, key)
                session.apply(ev.ChallengeReturned(key))
            case do.ClaimShare(_, member):
                assert session.fault is not None
                assert member not in session.shares
                session.apply(ev.ShareClaimed(member, session.fault.share))
            case do.WithdrawStake():
                session.apply(ev.StakeWithdrawn(session.terms.stake))
            case _:
                raise AssertionError(f"not for this board: {action}")

    def _convict(self, who: str, fault: int, key: Any) -> None:
        assert self.session.fault is None
        share = self.session.terms.stake // MEMBERS
        self.session.apply(ev.ServerFaulty(who, fault, key, bytes(32), bytes(32), share))

    def now(self, round_: int, kind: MessageKind) -> int:
        """The first second of a window."""
        return self.session.terms.window(round_, kind)[0]

    def exchange(self, round_: int, kind: MessageKind, messages: Any) -> None:
        """All messages for receipts, then the server's post."""
        for member, message in zip(self.members, messages, strict=True):
            signed = self.server.receive(
                message.key, message.content, message.authored, self.now(round_, kind)
            )
            member.keep(signed)
        for action in self.server.post(round_, kind):
            self.apply(action)

    def uploads(self, round_: int = 0) -> Reading:
        """A round's uploads, sent and posted; what lies on the board then."""
        updates = made_updates(round_)
        self.exchange(
            round_,
            UPLOAD,
            [m.upload(round_, u, self.model) for m, u in zip(self.members, updates, strict=True)],
        )
        return self.reading(round_)

    def reading(self, round_: int = 0, kind: MessageKind = UPLOAD) -> Reading:
        """What lies on the board."""
        return read(self.session, round_, kind, self.store, recover)

    def carry(self, round_: int, now: int) -> None:
        """The server carries all that members have to cast."""
        handed = [one for m in self.members for one in m.voter.handed(round_, CONSENSUS, now)]
        for action in self.server.relay(handed):
            self.apply(action)

    def judge(self, round_: int = 0, refused: Sequence[int] = ()) -> None:
        """Evaluations, ballots and the result: the lower a member's index, the better."""
        self.apply(do.OpenRound(round_))
        scores = [1 - i / 10 for i in range(MEMBERS)]
        said = [member.evaluation(round_, scores, refused) for member in self.members]
        now = self.now(round_, EVALUATION)
        self.carry(round_, now)
        if self.session.description.hidden:
            self.carry(round_, self.session.opened[round_].ballot_end)
        self.exchange(round_, EVALUATION, said)
        self.apply(do.Close(round_, 256))

    def objections(self, member: int, round_: int = 0, now: int | None = None) -> list[do.Action]:
        """What a member does about the uploads of a round."""
        return self.members[member].objections(
            round_,
            UPLOAD,
            self.reading(round_),
            self.server.hand(member, round_, UPLOAD),
            self.now(round_, UPLOAD) if now is None else now,
        )
