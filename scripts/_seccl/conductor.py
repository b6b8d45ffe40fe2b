"""Leads server and members through the rounds of SecCL on the chain, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import get_args

import click
import torch
from ape.api import AccountAPI

from offchain.roles import Wallet
from offchain.seccl import actions as do
from offchain.seccl.messages import MessageKind
from offchain.seccl.participant import Message, Participant
from offchain.seccl.reading import Reading, hidden, read
from offchain.seccl.screening import LastRound, screened
from offchain.seccl.server import Server, TooLate
from offchain.seccl.similarity import Copied
from offchain.seccl.updates import SparseUpdate
from offchain.storage import Datastore
from scripts._seccl.chain import FederationChain
from scripts._stage.accounts import receiver
from scripts._stage.chain import Receipt, go_to, now
from scripts._stage.wallet import recover

UPLOAD, EVALUATION = MessageKind.UPLOAD, MessageKind.EVALUATION
ALL = 256
"""Candidates a closing looks at; more than members take part here."""


@dataclass(frozen=True)
class Member:
    """A member: its name, its account, its role."""

    name: str
    account: AccountAPI
    role: Participant


@dataclass
class Conductor:
    """Leads all who take part in a session through it, on the connected local chain.

    tell: called after every transaction with who sent it. pay_to: account that is paid what comes
    out of the contracts, in the place of whom it is owed to. last: the round before the one that is
    played next. sent: bytes of each member's update, by round. copied: what was taken for copies,
    by round.
    """

    chain: FederationChain
    server: Server
    account: AccountAPI
    members: Sequence[Member]
    store: Datastore
    tell: Callable[[str, Receipt], None]
    pay_to: str | None = None
    last: LastRound = field(default_factory=LastRound)
    sent: dict[int, tuple[int, ...]] = field(default_factory=dict)
    copied: dict[int, tuple[Copied, ...]] = field(default_factory=dict)

    def play(
        self,
        round_: int,
        updates: Sequence[SparseUpdate],
        order: Sequence[int],
        model: str,
        evaluate: Callable[[Sequence[Copied]], torch.Tensor],
    ) -> tuple[int, ...]:
        """One round from the uploads to the result: the winners whose updates enter the model.

        updates: what members submit, in that order. model: digest of the global model that they
        change. evaluate: of the copies found, the evaluations float64 (N, N), [voter, candidate],
        of these updates.

        What is on the chain already, since a run was interrupted, is not done again.
        """
        session = self.chain.session
        if not self._all_there(round_, UPLOAD):
            self._enter(round_, UPLOAD)
        messages = [
            member.role.upload(round_, update, model)
            for member, update in zip(self.members, updates, strict=True)
        ]
        self.sent[round_] = tuple(len(message.content) for message in messages)
        readings = self._exchange(round_, UPLOAD, messages, order)
        read_by = [
            member.role.updates(round_, reading, model)
            for member, reading in zip(self.members, readings, strict=True)
        ]
        for reading, (usable, _) in zip(readings, read_by, strict=True):
            self._as_sent(round_, reading, messages, usable)
        # What lies on the board is the same for all, so all find the same copies.
        self.copied[round_] = screened(session, readings[0], usable, self.last)
        # Before the window: evaluating may take long, ballots are taken for a while only.
        scores = evaluate(self.copied[round_])
        self._enter(round_, EVALUATION)
        self._open_round(round_)
        self._report_absent(round_, readings)
        evaluations = [
            member.role.evaluation(round_, row.tolist(), tuple(refused))
            for member, row, (_, refused) in zip(self.members, scores, read_by, strict=True)
        ]
        if session.description.hidden:
            # Before anybody sees an evaluation, from which the ballot follows.
            self._cast(round_)
            go_to(session.opened[round_].ballot_end)
            self._cast(round_)
        self._exchange(round_, EVALUATION, evaluations, order)
        self._cast(round_)
        self._close(round_)
        winners = session.closed[round_].winners
        for winner in winners:
            if why := hidden(session, readings[0], winner):
                # Whoever has it computes another model, so that members would go apart.
                raise click.ClickException(
                    f"round {round_}: the elected update of member {winner} is not to be had: {why}"
                )
        if not winners:
            raise click.ClickException(f"round {round_}: too few ballots, nobody was elected")
        self.last = LastRound.of(usable, winners)
        return tuple(winner for winner in winners if winner in usable)

    def begin(self) -> None:
        """The server posts what it promised before it was stopped, if it was."""
        for action in self.server.overdue(now()):
            self._send("server", action, self.account)

    def replace_key(self, wallet: Wallet) -> None:
        """The server signs with another key, from the next round on that has not begun."""
        if self.chain.session.fault is None:
            for action in self.server.replace_key(wallet):
                self._send("server", action, self.account)

    def finish(self) -> None:
        """Pays the stake out: to the members when the server was convicted, else back to it."""
        session = self.chain.session
        if session.fault is None:
            go_to(session.terms.accusation_end)
            if session.terms.stake and not session.withdrawn:
                back = do.WithdrawStake(session.id, receiver(self.pay_to, session.terms.server))
                self._send("server", back, self.account)
            return
        for member in self.members:
            to = receiver(self.pay_to, str(member.account.address))
            for action in member.role.share(to):
                self._send(member.name, action, member.account)
            self.chain.withdraw_bonds(member.account, to)

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
        self, round_: int, kind: MessageKind, messages: Sequence[Message], order: Sequence[int]
    ) -> list[Reading]:
        """Members send, in that order, the server posts, members read and object: what each of
        them reads."""
        session, terms = self.chain.session, self.chain.session.terms
        if session.fault is None:
            for i in order:
                message = messages[i]
                try:
                    receipt = self.server.receive(
                        message.key, message.content, message.authored, now()
                    )
                except TooLate:
                    continue  # without a receipt it posts its message itself
                self.members[i].role.keep(receipt)
            for action in self.server.post(round_, kind):
                self._send("server", action, self.account)
            if not self._all_posted(round_, kind):
                start, end = terms.window(round_, kind)
                go_to((start + end) // 2)
        while True:
            readings = [read(session, round_, kind, self.store, recover) for _ in self.members]
            if not self._object(round_, kind, readings, order):
                return readings

    def _object(
        self, round_: int, kind: MessageKind, readings: Sequence[Reading], order: Sequence[int]
    ) -> bool:
        """Lets members do what they have to about the posts; says whether anybody did."""
        session, acted = self.chain.session, False
        for action in self.server.answers():
            self._send("server", action, self.account)
            acted = True
        for i in order:
            member = self.members[i]
            handed = self.server.hand(i, round_, kind) if session.fault is None else None
            for action in member.role.objections(round_, kind, readings[i], handed, now()):
                # One conviction is enough; whoever comes second would be refused.
                if isinstance(action, get_args(do.Accusation)) and session.fault is not None:
                    continue
                self._send(member.name, action, member.account)
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

    def _open_round(self, round_: int) -> None:
        """The server opens the round of ballots; a member does where the server does not."""
        session = self.chain.session
        if session.fault is None:
            for action in self.server.open_round(round_):
                self._send("server", action, self.account)
        if round_ not in session.opened:
            first = self.members[0]
            self._send(first.name, do.OpenRound(round_), first.account)

    def _report_absent(self, round_: int, readings: Sequence[Reading]) -> None:
        """The first member that may reports who uploaded nothing; then nobody has to."""
        if round_ in self.chain.session.closed:
            return
        for member, reading in zip(self.members, readings, strict=True):
            for action in member.role.absences(round_, reading):
                self._send(member.name, action, member.account)

    def _cast(self, round_: int) -> None:
        """The server carries what members have to cast now; who is left out does it itself."""
        session = self.chain.session
        consensus = str(self.chain.consensus.address)
        if round_ in session.closed:
            return
        if session.fault is None:
            handed = [
                one
                for member in self.members
                for one in member.role.voter.handed(round_, consensus, now())
            ]
            for action in self.server.relay(handed):
                self._send("server", action, self.account)
        for member in self.members:
            for action in member.role.voter.cast(round_, consensus, now()):
                self._send(member.name, action, member.account)

    def _close(self, round_: int) -> None:
        """When all have voted or no more ballots are taken, the server closes the round, or a
        member when the server is out."""
        session = self.chain.session
        if round_ in session.closed:
            return
        if len(session.ballots.get(round_, {})) < session.members:
            go_to(session.opened[round_].reveal_end)
        first = self.members[0]
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

    def _all_there(self, round_: int, kind: MessageKind) -> bool:
        """Whether something is posted for everybody, so that a run goes on after that window."""
        session = self.chain.session
        own, posted = (session.posted(round_, kind, own=whose) for whose in (True, False))
        return (round_, kind) in session.batches or len(own | posted) == session.members

    def _all_posted(self, round_: int, kind: MessageKind) -> bool:
        session = self.chain.session
        if session.terms.batched(kind):
            return (round_, kind) in session.batches
        return len(session.posted(round_, kind, own=False)) == session.members

    def _send(self, who: str, action: do.Action, account: AccountAPI) -> None:
        self.tell(who, self.chain.send(action, account))
