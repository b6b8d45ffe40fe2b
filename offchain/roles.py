"""What every role has in common: the clock it reads, and how it says what it wants done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


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
    """

    call: str
    arguments: tuple[Any, ...]
    pays: int = 0


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
