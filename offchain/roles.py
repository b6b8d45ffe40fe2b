"""What every role has in common: the clock it reads, and how it says what it wants done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol


@dataclass(frozen=True)
class Clock:
    """The chain's time: `now` in Unix seconds and `block`, both of the next block."""

    now: int
    block: int


@dataclass(frozen=True)
class Action:
    """One call of a contract.

    Attributes:
        call: the method's name.
        arguments: as the ABI orders them, structs as tuples.
        pays: in the currency agreed on, smallest unit; the adapter sends it along, or lets the
            token be drawn.
        about: how many of the first arguments say what it is about, where the others are made anew
            each time; None for all.
    """

    call: str
    arguments: tuple[Any, ...]
    pays: int = 0
    about: int | None = None

    @property
    def wish(self) -> tuple[Any, ...]:
        """What tells it from others, however often it is made."""
        return (self.call, *self.arguments[: self.about])


Recover = Callable[[dict[str, Any], bytes], str | None]
"""(EIP-712 typed data, 65 bytes) -> the 0x address that signed, None where nobody did."""


class Wallet(Protocol):
    """The key of one party, wherever it lies."""

    address: str

    def sign(self, typed: dict[str, Any]) -> bytes:
        """The signature, 65 bytes r, s, v, of EIP-712 typed data."""


class Role(Protocol):
    """A party of a session: events come in by `session`, actions go out. It holds no connection.

    A role that was killed is built again from the session and its secrets, and goes on.
    """

    session: Any

    def next_action(self, clock: Clock) -> Any:
        """What to do now; None for nothing."""


class PutOff:
    """Wishes that the chain refused, and until when each is not wanted again.

    The wait doubles with each refusal, from `FIRST` to `LONGEST` seconds of the chain's time: a
    node may lag, and what is refused now may be due later.

    Attributes:
        now: the chain's time, Unix seconds, as it was last told.
    """

    FIRST: ClassVar[int] = 12
    LONGEST: ClassVar[int] = 120

    def __init__(self) -> None:
        self.now = 0
        # By their text: arguments may be lists, which are no keys.
        self._waits: dict[str, tuple[int, int]] = {}

    def __contains__(self, wish: tuple[Any, ...]) -> bool:
        until, _ = self._waits.get(repr(wish), (self.now, 0))
        return self.now < until

    def add(self, wish: tuple[Any, ...]) -> None:
        """It was refused, once more."""
        _, before = self._waits.get(repr(wish), (0, 0))
        wait = min(max(2 * before, self.FIRST), self.LONGEST)
        self._waits[repr(wish)] = (self.now + wait, wait)


class Dropping:
    """A role that goes on with others when the chain refuses it something about one of them.

    What a counterpart's account looks like to the contract no role can know: a key's signature is
    right to it, and the contract asks the code that the account was given. What is refused is
    dropped for a while, not for ever, and is tried as long as the role wants it.

    Attributes:
        may_drop: calls without which it goes on; the others end it.
    """

    may_drop: ClassVar[frozenset[str]] = frozenset()

    @cached_property
    def put_off(self) -> PutOff:
        """What was refused; whoever builds the role anew hands it on."""
        return PutOff()

    def drop(self, action: Action) -> bool:
        """Wants it no more for a while; False where nothing goes on without it."""
        if action.call in self.may_drop and action.wish not in self.put_off:
            self.put_off.add(action.wish)
            return True
        return False

    def dropped(self, call: str, *about: Any) -> bool:
        """Whether it dropped that call, and the while is not over."""
        return (call, *about) in self.put_off

    def still(self, action: Action | None) -> Action | None:
        """`action` unless it was dropped."""
        return None if action is None or self.dropped(*action.wish) else action
