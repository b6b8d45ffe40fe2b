"""A session as the chain alone tells it: nothing of the datastore is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ape
import click
from ape.contracts import ContractInstance

from offchain.crypto import commitments as cm
from offchain.crypto.commitments import word
from offchain.roles import Clock
from offchain.seccl import session as ev
from offchain.seccl.messages import MessageKind, SessionTerms
from scripts._seccl.chain import CREATED, id_of, of_word, twin_of
from scripts._seccl.events import board_event, consensus_event, terms_in
from scripts._seccl.finding import Contracts, announced_on, sessions_of
from scripts._stage.chain import decoded, logs_of, topic
from scripts._stage.table import Pause


@dataclass(frozen=True)
class Happened:
    """What its events come to."""

    fault: ev.ServerFaulty | None
    withdrawn: bool
    closed: int
    shares: frozenset[int]


class SessionOnChain:
    """One session of this version's board.

    Attributes:
        id, terms: of the session. board, consensus: contracts; None while it has no consensus.
        members: 0x addresses by index; none without a consensus.
    """

    def __init__(self, contracts: Contracts, id_: bytes) -> None:
        """Raises ClickException where the board has none of that id."""
        self.id, self.board = id_, contracts.board.contract
        address, first = str(self.board.address), contracts.board.block
        made = decoded(self.board, logs_of(address, first, [topic(CREATED), of_word(id_)]))
        if not made:
            raise click.ClickException(f"no session 0x{id_.hex()} on this chain")
        self._first = made[0].block_number
        said = made[0].event_arguments
        self.terms: SessionTerms = terms_in(said["terms"], bytes(said["document"]))
        self.consensus, self.members = self._elects(contracts.factory.contract)

    def events(self) -> Sequence[ev.Event]:
        """All so far, in the order of the chain."""
        return [event for *_, event in sorted(self._told(), key=lambda one: one[:2])]

    def read(self) -> Happened:
        """What they come to."""
        events = self.events()
        faults = [one for one in events if isinstance(one, ev.ServerFaulty)]
        return Happened(
            fault=faults[0] if faults else None,
            withdrawn=any(isinstance(one, ev.StakeWithdrawn) for one in events),
            closed=sum(isinstance(one, ev.RoundClosed) for one in events),
            shares=frozenset(one.member for one in events if isinstance(one, ev.ShareClaimed)),
        )

    def pause(self, session: Happened, clock: Clock) -> Pause | None:
        """The next end of a window; None once nothing can happen any more but payouts."""
        gone = session.fault is not None and clock.now >= self.terms.end
        if gone or session.withdrawn or clock.now >= self.terms.accusation_end:
            return None
        return next_end(self.terms, clock.now)

    def member_path(self, index: int) -> list[bytes]:
        """From a member's leaf to the root of members."""
        return list(cm.path(twin_of(self.board).member_leaves(self.members), index))

    def asked_by(self, account: str) -> list[ev.Challenged]:
        """The challenges of an account whose bonds were not given back."""
        events = self.events()
        back = {one.key for one in events if isinstance(one, ev.ChallengeReturned)}
        return [
            one
            for one in events
            if isinstance(one, ev.Challenged)
            and one.challenger.lower() == account.lower()
            and one.key not in back
        ]

    def _told(self) -> list[tuple[int, int, ev.Event]]:
        found = []
        topics = [None, of_word(self.id)]
        for log in decoded(self.board, logs_of(str(self.board.address), self._first, topics)):
            found += [(log.block_number, log.log_index, one) for one in board_event(log)]
        if self.consensus is not None:
            address = str(self.consensus.address)
            for log in decoded(self.consensus, logs_of(address, self._first, [])):
                found += [(log.block_number, log.log_index, one) for one in consensus_event(log)]
        return found

    def _elects(self, factory: ContractInstance) -> tuple[ContractInstance | None, tuple[str, ...]]:
        """The session's consensus and its members, as the factory tells them."""
        topics = [None, None, of_word(word(self.terms.server)), of_word(self.id)]
        made = decoded(factory, logs_of(str(factory.address), self._first, topics))
        if not made:
            return None, ()
        said = made[0].event_arguments
        address = ape.chain.provider.network.ecosystem.decode_address
        members = tuple(str(address(one)) for one in said["members"])
        return ape.project.BordaConsensus.at(said["session"]), members


def session_named(contracts: Contracts, reference: str) -> SessionOnChain:
    """The session with that id, or the first that the server of that announcement opened then.

    Raises ClickException where there is none, or not yet.
    """
    id_ = id_of(reference)
    for told in announced_on(contracts.board):
        if told.id == id_:
            opened = sessions_of(contracts.board, told.server, told.block)
            if not opened:
                raise click.ClickException(
                    f"{told.server} opened no session since it announced {reference}"
                )
            return SessionOnChain(contracts, opened[0][0])
    return SessionOnChain(contracts, id_)


def next_end(terms: SessionTerms, now: int) -> Pause:
    """What ends next in a session, and when."""
    if now < terms.start:
        return Pause(terms.start, "the first round starts")
    if now < terms.end:
        round_ = (now - terms.start) // (terms.upload_time + terms.evaluation_time)
        for kind in MessageKind:
            if now < (end := terms.window(round_, kind)[1]):
                return Pause(end, f"round {round_}: {kind.name.lower()}s end")
    return Pause(max(terms.accusation_end, now + 1), "accusations end")
