"""Lets roles play on the connected chain, each as soon as it has something to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ape.api import AccountAPI

from offchain.roles import Clock, Dropping, PutOff, Role
from scripts._stage.chain import (
    ActionRefused,
    Receipt,
    Waited,
    clock,
    look,
    next_block,
    wait_until,
)


@dataclass(frozen=True)
class Pause:
    """Nobody has anything to do before `time`, in Unix seconds; None: before the next block.

    what: happens then.
    """

    time: int | None
    what: str = ""


class Table(Protocol):
    """What roles play on: it tells how things stand, and does what a role wants done."""

    def read(self) -> Any:
        """The session as its events tell it."""

    def send(self, action: Any, account: AccountAPI) -> Receipt | None:
        """Does it; None where nothing went to the chain. Raises ActionRefused."""

    def pause(self, session: Any, clock: Clock) -> Pause | None:
        """What to wait for where nobody has anything to do; None where it is over."""


@dataclass
class Seat:
    """One party at the table: its name, its account, and how to bring its role to life.

    `make` is called once, or before every step when a run shows that nothing is kept in memory.

    Attributes:
        put_off: what the chain refused its role twice, which it wants later.
    """

    name: str
    account: AccountAPI
    make: Callable[[Any], Role]
    role: Role | None = None
    put_off: PutOff = field(default_factory=PutOff)

    @property
    def address(self) -> str:
        """0x address of the account."""
        return str(self.account.address)


@dataclass(frozen=True)
class Step:
    """A transaction that the party at `seat` sent, with its receipt.

    seen: the newest block as the party looked, to which this is its answer; None where it looked
    at none.
    """

    seat: str
    receipt: Receipt
    seen: int | None = None


def play(
    table: Table,
    seats: Sequence[Seat],
    tell: Callable[[Step], None],
    *,
    refused: Callable[[str, ActionRefused], None] | None = None,
    forgetful: bool = False,
    before: Callable[[str], object] | None = None,
    at_time: Callable[[str, int], None] | None = None,
) -> Any:
    """Plays until the session is over and nobody has anything left to do; returns it then.

    Args:
        tell: called after every transaction.
        refused: called with a seat's name when the chain would not do what it wanted.
        forgetful: kill and rebuild every role before every step.
        before: called with a seat's name before it looks for something to do.
        at_time: called with what happens and when, before time is let pass until then.
    """
    announced, over = None, False
    while True:
        acted, looked = [], clock()
        for seat in seats:
            if before:
                before(seat.name)
            acted.append(act(table, seat, tell, refused, forgetful))
        if any(acted):
            over = False
            continue
        session = table.read()
        # What ended while they looked is still to come for who looked before it did.
        pause = table.pause(session, looked)
        if pause is None:
            if over:
                return session
            # What ended it may have come after they looked: all look once more.
            over = True
            continue
        over = False
        if pause.time is None:
            next_block()
            continue
        if pause.time > clock().now:
            # What happens to many within one minute is said once.
            saying = pause.what, pause.time // 60
            if at_time and announced != saying:
                at_time(pause.what, pause.time)
            announced = saying
        wait_until(pause.time)


def act(
    table: Table,
    seat: Seat,
    tell: Callable[[Step], None],
    refused: Callable[[str, ActionRefused], None] | None,
    forgetful: bool,
) -> bool:
    """Lets one party do all it has to do now; says whether it did anything.

    What the contract refuses twice its role puts off and goes on; where it cannot, and where no
    contract was asked since node or fee stood in the way, ActionRefused ends it.
    """
    acted = False
    vain = None
    while True:
        look()
        session = table.read()
        if seat.role is None or forgetful:
            seat.role = seat.make(session)
        seat.role.session = session
        time = clock()
        if isinstance(seat.role, Dropping):
            seat.role.put_off, seat.put_off.now = seat.put_off, time.now
        action = seat.role.next_action(time)
        if action is None:
            return acted
        try:
            receipt = table.send(action, seat.account)
        except Waited:
            continue
        except ActionRefused as error:
            # The chain may have moved on meanwhile; the same wish twice is in vain.
            wish = getattr(action, "wish", action)
            if wish == vain and not (error.by_contract and _drops(seat.role, action)):
                raise
            vain = wish
            if refused:
                refused(seat.name, error)
            continue
        acted, vain = True, None
        if receipt is not None:
            tell(Step(seat.name, receipt, time.block))


def _drops(role: Role, action: Any) -> bool:
    return isinstance(role, Dropping) and role.drop(action)
