"""Server and members at one table: one round of SecCL on the chain, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import get_args

import click
import torch
from ape.api import AccountAPI

from offchain.seccl import actions as do
from offchain.seccl.lies import LyingServer
from offchain.seccl.messages import MessageKind
from offchain.seccl.participant import Message, Participant
from offchain.seccl.reading import Reading, read
from offchain.seccl.server import Server
from offchain.seccl.updates import SparseUpdate
from offchain.storage import Datastore
from scripts._chain import Receipt
from scripts._federate_chain import FederationChain, go_to, now

UPLOAD, EVALUATION = MessageKind.UPLOAD, MessageKind.EVALUATION
ALL = 256
"""Candidates a closing looks at; more than members take part here."""


@dataclass(frozen=True)
class Seat:
    """A member: its name, its account, its role."""

    name: str
    account: AccountAPI
    role: Participant


@dataclass
class Table:
    """All who take part in a session on the connected local chain.

    patience: seconds of the consensus's terms. tell: called after every transaction with who sent
    it. sent: bytes of each member's update, by round.
    """

    chain: FederationChain
    server: Server
    account: AccountAPI
    seats: Sequence[Seat]
    store: Datastore
    patience: int
    tell: Callable[[str, Receipt], None]
    sent: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def play(
        self,
        round_: int,
        updates: Sequence[SparseUpdate],
        model: str,
        evaluate: Callable[[], torch.Tensor],
    ) -> tuple[int, ...]:
        """One round from the uploads to the result: the winners.

        updates: what members submit. model: digest of the global model that they change. evaluate:
        the evaluations float64 (N, N), [voter, candidate], of these updates.

        What is on the chain already, since a run was interrupted, is not done again.
        """
        session = self.chain.session
        self._enter(round_, UPLOAD)
        messages = [
            seat.role.upload(round_, update, model)
            for seat, update in zip(self.seats, updates, strict=True)
        ]
        self.sent[round_] = tuple(len(message.content) for message in messages)
        readings = self._exchange(round_, UPLOAD, messages)
        # Before the window: evaluating may take long, ballots are taken for a while only.
        scores = evaluate()
        self._enter(round_, EVALUATION)
        self._open(round_)
        evaluations, usable = [], set[int]()
        for seat, reading, row in zip(self.seats, readings, scores, strict=True):
            good, refused = seat.role.updates(round_, reading, model)
            self._as_sent(round_, reading, messages, good)
            usable = set(good)
            evaluations.append(seat.role.evaluation(round_, row.tolist(), tuple(refused)))
        self._exchange(round_, EVALUATION, evaluations)
        self._vote(round_)
        winners = session.closed[round_].winners
        for winner in winners:
            if winner not in usable:
                raise click.ClickException(
                    f"round {round_}: the elected update of member {winner} cannot be used"
                )
        if not winners:
            raise click.ClickException(f"round {round_}: too few ballots, nobody was elected")
        return winners

    def finish(self) -> None:
        """Pays the stake out: to the members when the server was convicted, else back to it."""
        session = self.chain.session
        if session.fault is None:
            go_to(session.terms.accusation_end)
            if session.terms.stake and not session.withdrawn:
                self._send("server", do.WithdrawStake(session.id), self.account)
            return
        for seat in self.seats:
            for action in seat.role.share():
                self._send(seat.name, action, seat.account)
            self.chain.withdraw_bonds(seat.account)

    # ---------------------------------------------------------------- steps

    def _enter(self, round_: int, kind: MessageKind) -> None:
        """Goes to the window of a round and kind, which must not be over."""
        start, end = self.chain.session.terms.window(round_, kind)
        go_to(start)
        if now() >= end:
            raise click.ClickException(
                f"the window for the {kind.name.lower()}s of round {round_} ended at {end}, it is "
                f"{now()}: the session cannot go on"
            )

    def _exchange(
        self, round_: int, kind: MessageKind, messages: Sequence[Message]
    ) -> list[Reading]:
        """Members send, the server posts, members read and object: what each of them reads."""
        session, terms = self.chain.session, self.chain.session.terms
        if session.fault is None:
            self._same_as_posted(round_, kind, messages)
            start, end = terms.window(round_, kind)
            if now() < (start + end) // 2:
                for seat, message in zip(self.seats, messages, strict=True):
                    seat.role.keep(self.server.receive(message.key, message.content, now()))
            for action in self.server.post(round_, kind):
                if not self._is_posted(action):
                    self._send("server", action, self.account)
            if not self._all_posted(round_, kind):
                go_to((start + end) // 2)
        while True:
            readings = [read(session, round_, kind, self.store) for _ in self.seats]
            if not self._object(round_, kind, readings):
                return readings

    def _object(self, round_: int, kind: MessageKind, readings: Sequence[Reading]) -> bool:
        """Lets members do what they have to about the posts; says whether anybody did."""
        session, acted = self.chain.session, False
        for action in self.server.answers():
            self._send("server", action, self.account)
            acted = True
        for i, (seat, reading) in enumerate(zip(self.seats, readings, strict=True)):
            handed = self.server.hand(i, round_, kind) if session.fault is None else None
            for action in seat.role.objections(round_, kind, reading, handed, now()):
                # One conviction is enough; whoever comes second would be refused.
                if isinstance(action, get_args(do.Accusation)) and session.fault is not None:
                    continue
                self._send(seat.name, action, seat.account)
                acted = True
        waiting = [
            asked.deadline
            for key, asked in session.challenges.items()
            if key not in session.answers and session.fault is None
        ]
        if waiting and not acted:
            go_to(min(waiting))
            return True
        return acted

    def _open(self, round_: int) -> None:
        """The server opens the round of ballots; a member does when the server is out."""
        session = self.chain.session
        if session.fault is None:
            for action in self.server.open_round(round_):
                self._send("server", action, self.account)
        if round_ not in session.opened:
            before = session.opened.get(round_ - 1)
            since = before.ballot_end if before else session.terms.start
            go_to(since + self.patience)
            first = self.seats[0]
            self._send(first.name, do.OpenOverdueRound(round_, 0), first.account)

    def _vote(self, round_: int) -> None:
        """The server carries the ballots; who is left out votes itself; the round is closed."""
        session = self.chain.session
        consensus = str(self.chain.consensus.address)
        if round_ in session.closed:
            return
        if session.fault is None:
            counted = session.ballots.get(round_, {})
            ballots = [
                seat.role.signed_ballot(round_, consensus)
                for seat in self.seats
                if seat.role.index not in counted
            ]
            for action in self.server.relay(ballots):
                self._send("server", action, self.account)
        for seat in self.seats:
            for action in seat.role.vote(round_):
                self._send(seat.name, action, seat.account)
        if len(session.ballots.get(round_, {})) < session.members:
            go_to(session.opened[round_].ballot_end)
        first = self.seats[0]
        honest = session.fault is None
        closer = ("server", self.account) if honest else (first.name, first.account)
        while round_ not in session.closed:
            self._send(closer[0], do.Close(round_, ALL), closer[1])

    # ---------------------------------------------------------------- checks

    def _as_sent(
        self,
        round_: int,
        reading: Reading,
        messages: Sequence[Message],
        usable: dict[int, SparseUpdate],
    ) -> None:
        """Updates are evaluated as they were sent, so what was read must be that."""
        for author in usable:
            if reading.contents[author] != messages[author].content:
                raise click.ClickException(
                    f"round {round_}: what counts for member {author} is not what it sent"
                )

    def _same_as_posted(self, round_: int, kind: MessageKind, messages: Sequence[Message]) -> None:
        """Before anything is signed again: an honest server must not sign two messages."""
        if isinstance(self.server, LyingServer) and self.server.lies_about(round_, kind):
            return
        reading = read(self.chain.session, round_, kind, self.store)
        for author, posted in reading.hashes.items():
            if posted != messages[author].message:
                raise click.ClickException(
                    f"round {round_}: made again, the message of member {author} is not the one "
                    "on the board: this machine computes otherwise than the one interrupted"
                )

    def _is_posted(self, action: do.Action) -> bool:
        session = self.chain.session
        if isinstance(action, do.PostBatch):
            return (action.round, action.kind) in session.batches
        if isinstance(action, do.Post):
            key = action.key
            return key.author in session.posted(key.round, key.kind, own=False)
        return False

    def _all_posted(self, round_: int, kind: MessageKind) -> bool:
        session = self.chain.session
        if session.terms.batched(kind):
            return (round_, kind) in session.batches
        return len(session.posted(round_, kind, own=False)) == session.members

    def _send(self, who: str, action: do.Action, account: AccountAPI) -> None:
        self.tell(who, self.chain.send(action, account))
