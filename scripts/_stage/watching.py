"""What happens in something that is open, told as the chain tells it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from offchain.crypto.settlement import NATIVE
from offchain.report.text import amount
from offchain.roles import Clock
from scripts._stage.chain import clock, next_block, snake, wait_until
from scripts._stage.content import Content
from scripts._stage.money import currency
from scripts._stage.party import PartyTelling
from scripts._stage.party_sheets import time_of
from scripts._stage.table import Pause

_SHOWN = (int, str, bool)
_AMOUNTS = {
    *("amount", "bond", "budget", "burned", "compensation", "cost", "deposit", "forfeited"),
    *("funds", "owed", "paid", "price", "reward", "stake"),
}
_TIMES = {"added_at", "deadline", "expiry", "start", "until"}
_COUNTED_FROM_0 = {"level"}
"""By the contract; commands count from 1."""


class Watched(Protocol):
    """What is watched: its events, what they come to, and what is waited for."""

    def events(self) -> Sequence[Any]:
        """All events so far, dataclasses, in the chain's order."""

    def read(self) -> Any:
        """The session as its events tell it."""

    def pause(self, session: Any, clock: Clock) -> Pause | None:
        """What everybody waits for; None where all is over."""


def watch(
    chain: Watched,
    telling: PartyTelling,
    over: Callable[[Any], dict[str, Any]],
    *,
    once: bool,
    content: Content | None = None,
) -> None:
    """Tells of events as they come, each once, until all is over.

    over: what is told of the session then. once: ends after what happened so far. content: what
    parties have to keep, which is looked at as well.
    """
    told: Sequence[Any] = []
    waiting = None
    while True:
        events = chain.events()
        # A reorganisation takes events back: then all after the last common one are told anew.
        common = next((i for i, one in enumerate(told) if events[i : i + 1] != [one]), len(told))
        if common < len(told):
            telling.event("reorganised", events=len(told) - common)
        for event in events[common:]:
            values = _values(event)
            if not telling.as_json:
                values = _for_people(event, values, currency(getattr(chain, "token", NATIVE)))
            telling.event(snake(type(event).__name__), **values)
        told = events
        session, now = chain.read(), clock()
        pause = chain.pause(session, now)
        if content is not None:
            content.look(session, whole=once or pause is None)
        if pause is None:
            telling.event("over", **over(session))
            return
        if once:
            return
        if pause.time is None:
            next_block()
            continue
        if waiting != pause:
            telling.time(pause.what, pause.time)
        waiting = pause
        wait_until(pause.time)


def _for_people(
    event: Any, values: dict[str, str | int | bool], money: tuple[str, int]
) -> dict[str, str | int | bool]:
    """The same with amounts in `money`, a coin's name and decimals, and times as times."""
    coin, decimals = money
    said = dict(values)
    for name, value in asdict(event).items():
        if type(value) is not int:
            continue
        if name in _AMOUNTS:
            said[name] = f"{amount(value, decimals)} {coin}"
        elif name in _TIMES or name.endswith("_end"):
            said[name] = time_of(value)
        elif name in _COUNTED_FROM_0:
            said[name] = value + 1
    return said


def _values(event: Any) -> dict[str, str | int | bool]:
    """What fits on a line: accounts, counts, amounts as text, and short words in hex."""
    return _told(asdict(event))


def _told(fields: dict[str, Any]) -> dict[str, str | int | bool]:
    values: dict[str, str | int | bool] = {}
    for name, value in fields.items():
        if isinstance(value, bytes):
            values[name] = "0x" + value.hex()
        elif isinstance(value, _SHOWN):
            values[name] = str(value) if type(value) is int and value >= 2**53 else value
        elif isinstance(value, tuple):
            values[name] = len(value)
        elif isinstance(value, dict):
            values |= _told(value)
    return values
