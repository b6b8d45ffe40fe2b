"""What is told of events: numbers to programs, and to people what they mean."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from offchain.crypto.settlement import NATIVE
from offchain.roles import Clock
from scripts._stage import watching
from scripts._stage.party import PartyTelling
from scripts._stage.watching import watch


@dataclass(frozen=True)
class Bought:
    buyer: str
    level: int
    paid: int
    deadline: int
    again: bool


class Chain:
    token = NATIVE

    def events(self):
        return [Bought("0x1", 1, 18 * 10**17, 1_796_039_297, False)]

    def read(self):
        return None

    def pause(self, session, clock):
        return None


@pytest.fixture
def said(monkeypatch, capsys):
    monkeypatch.setattr(watching, "clock", lambda: Clock(1, 1))

    def watched(as_json: bool) -> list[str]:
        watch(Chain(), PartyTelling(as_json=as_json), lambda _: {"buyers": 1}, once=False)
        return capsys.readouterr().out.splitlines()

    return watched


def test_people_are_told_amounts_times_and_levels_as_commands_have_them(said):
    assert said(False)[0] == (
        "-- bought: buyer 0x1, level 2, paid 1.8 ETH, deadline 30 November 11:48 UTC, again no"
    )


def test_programs_are_told_what_the_chain_has(said):
    first = json.loads(said(True)[0])
    assert first["level"] == 1
    assert first["paid"] == str(18 * 10**17)
    assert first["deadline"] == 1_796_039_297
    assert first["again"] is False
