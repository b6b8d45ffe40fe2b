"""`ape run watch`: the events of a session, each once, and what everybody waits for."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from offchain.hyperx import events as ev
from scripts._hyperx.chain import ChainSession
from scripts._hyperx.seats import deployed_factory
from scripts._stage.chain import clock, next_block, snake, wait_until
from scripts._stage.party import PartyTelling

_SHOWN = (int, str, bool)


def run_watch(address: str, once: bool, deployments: Path, as_json: bool) -> None:
    """Tells of events as they come, until the session is over."""
    telling = PartyTelling(as_json=as_json)
    factory = deployed_factory(deployments)
    chain = ChainSession.resume(factory.contract, factory.block, address)
    told: list[ev.Event] = []
    waiting = None
    while True:
        events = chain.events()
        # A reorganisation takes events back: then all after the last common one are told anew.
        common = next((i for i, one in enumerate(told) if events[i : i + 1] != [one]), len(told))
        if common < len(told):
            telling.event("reorganised", events=len(told) - common)
        for event in events[common:]:
            telling.event(_name(event), **_values(event))
        told = events
        session, now = chain.read(), clock()
        pause = chain.pause(session, now)
        if pause is None:
            telling.event("over", deal=session.deal is not None)
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


def _name(event: ev.Event) -> str:
    return snake(type(event).__name__)


def _values(event: ev.Event) -> dict[str, str | int | bool]:
    """What fits on a line: accounts, counts, amounts as text, and short words in hex."""
    values: dict[str, str | int | bool] = {}
    for name, value in asdict(event).items():
        if isinstance(value, bytes):
            values[name] = "0x" + value.hex()
        elif isinstance(value, _SHOWN):
            values[name] = str(value) if type(value) is int and value >= 2**53 else value
        elif isinstance(value, tuple):
            values[name] = len(value)
    return values
