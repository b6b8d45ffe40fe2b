"""SUM's part of `ape run watch`: what happens to a shared model, each event once."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from offchain.sum import events as ev
from scripts._stage.chain import next_block, snake
from scripts._stage.deployments import deployed
from scripts._stage.party import PartyTelling
from scripts._sum.model import ModelOnChain
from scripts._sum.parts import FACTORY

_LARGE = 2**53
"""Integers from here on are told as text: not all readers of JSON take them as they are."""


def run_watch(address: str, once: bool, deployments: Path, as_json: bool) -> None:
    """Tells of events as they come; a model has no end."""
    telling = PartyTelling(as_json=as_json)
    model = ModelOnChain.resume(deployed(FACTORY, deployments), address)
    told: list[tuple[ev.Event, int]] = []
    while True:
        events = model.events()
        # A reorganisation takes events back: then all after the last common one are told anew.
        common = next((i for i, one in enumerate(told) if events[i : i + 1] != [one]), len(told))
        if common < len(told):
            telling.event("reorganised", events=len(told) - common)
        for event, at in events[common:]:
            telling.event(snake(type(event).__name__), **_values(event), at=at)
        told = events
        if once:
            return
        next_block()


def _values(event: ev.Event) -> dict[str, Any]:
    """What fits on a line: of a sample, how many features are active."""
    values: dict[str, Any] = {}
    for name, value in asdict(event).items():
        if isinstance(value, bytes):
            values[name] = "0x" + value.hex()
        elif isinstance(value, tuple):
            values[name] = sum(word.bit_count() for word in value)
        else:
            values[name] = str(value) if type(value) is int and value >= _LARGE else value
    return values
