"""Lets roles play one session on the connected chain, each as soon as it has something to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from ape.api import AccountAPI

from offchain.hyperx.session import Clock, Session
from scripts._stage.chain import ActionRefused, ChainSession, Receipt, clock, next_block, wait_until


class Role(Protocol):
    """A collector or a provider, a seller or a buyer."""

    session: Any

    def next_action(self, clock: Clock) -> Any:
        """What to do now; None for nothing."""


class Table(Protocol):
    """What roles play on: it tells how things stand, and does what a role wants done."""

    def read(self) -> Any:
        """The session as its events tell it."""

    def send(self, action: Any, account: AccountAPI) -> Receipt:
        """Does it. Raises ActionRefused."""


@dataclass
class Seat:
    """One party at the table: its name, its account, and how to bring its role to life.

    `make` is called once, or before every step when a run shows that nothing is kept in memory.
    """

    name: str
    account: AccountAPI
    make: Callable[[Any], Role]
    role: Role | None = None

    @property
    def address(self) -> str:
        """0x address of the account."""
        return str(self.account.address)


@dataclass(frozen=True)
class Step:
    """One thing that was done."""

    seat: str
    receipt: Receipt


def play(
    chain: ChainSession,
    seats: list[Seat],
    tell: Callable[[Step], None],
    *,
    refused: Callable[[str, ActionRefused], None] | None = None,
    forgetful: bool = False,
    before: Callable[[str], None] | None = None,
    at_time: Callable[[str, int], None] | None = None,
) -> Session:
    """Plays until the session is over and nobody has anything left to do; returns it then.

    Args:
        tell: called after every transaction.
        refused: called with a seat's name when the chain would not do what it wanted.
        forgetful: kill and rebuild every role before every step.
        before: called with a seat's name before it looks for something to do.
        at_time: called with what ends and when, once before waiting for it.
    """
    announced = None
    while True:
        acted = []
        for seat in seats:
            if before:
                before(seat.name)
            acted.append(act(chain, seat, tell, refused, forgetful))
        if any(acted):
            continue
        session, now = chain.read(), clock()
        drawing = [m for m in session.members.values() if m.draw_pending(now.block)]
        if drawing and now.now < session.terms.submission_end:
            next_block()
            continue
        ahead = [(time, what) for what, time in _ends(session).items() if time > now.now]
        if session.is_over(now.now) or not ahead:
            return session
        time, what = min(ahead)
        if at_time and announced != (time, what):
            at_time(what, time)
        announced = time, what
        wait_until(time)


def _ends(session: Session) -> dict[str, int]:
    """What ends in a session, and when, in Unix seconds."""
    terms = session.terms
    return {
        "registration ends": terms.registration_end,
        "submission ends": terms.submission_end,
        "the time to answer ends": session.deadline,
        "the session expires": terms.expiry,
    }


def act(
    chain: Table,
    seat: Seat,
    tell: Callable[[Step], None],
    refused: Callable[[str, ActionRefused], None] | None,
    forgetful: bool,
) -> bool:
    """Lets one party do all it has to do now; says whether it did anything."""
    acted = False
    vain = None
    while True:
        session = chain.read()
        if seat.role is None or forgetful:
            seat.role = seat.make(session)
        seat.role.session = session
        action = seat.role.next_action(clock())
        if action is None:
            return acted
        try:
            receipt = chain.send(action, seat.account)
        except ActionRefused as error:
            # The chain may have moved on meanwhile; the same wish twice is an error.
            if action == vain:
                raise
            vain = action
            if refused:
                refused(seat.name, error)
            continue
        acted, vain = True, None
        tell(Step(seat.name, receipt))
