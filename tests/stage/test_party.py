"""A party goes on while node and datastore are away, and ends in one line if they stay away."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import pytest

from offchain.roles import Action, Clock
from offchain.storage import DatastoreUnavailable
from scripts._stage import party, table
from scripts._stage.chain import ActionRefused
from scripts._stage.party import REFUSED_TRIES, TRIES, PartyTelling, play_on
from scripts._stage.pool import NodeBusy
from scripts._stage.table import Pause, Seat

AWAY = DatastoreUnavailable("no node at 127.0.0.1")
BUSY = NodeBusy("the node is busy (HTTP 503)")
FAILED = ActionRefused("claim failed: connection reset")
REFUSED = ActionRefused("claim refused: NotPaid", by_contract=True)


class Claims:
    """Claims until it did."""

    def __init__(self, session) -> None:
        self.session = session

    def next_action(self, clock: Clock) -> Action | None:
        return None if self.session else Action("claim", ())


class Chain:
    """Raises `error` so many times before it takes anything."""

    def __init__(self, error: Exception, times: int) -> None:
        self.error, self.left, self.done = error, times, False

    def read(self) -> bool:
        return self.done

    def send(self, action: Action, account) -> None:
        if self.left:
            self.left -= 1
            raise self.error
        self.done = True

    def pause(self, session, clock):
        return None


@pytest.fixture(autouse=True)
def hours(monkeypatch):
    """Seconds that were slept, and that a test lets pass."""
    spent = SimpleNamespace(seconds=0.0)
    monkeypatch.setattr(table, "clock", lambda: Clock(1, 1))
    monkeypatch.setattr(table, "wait_until", lambda timestamp: None)
    monkeypatch.setattr(
        party,
        "time",
        SimpleNamespace(monotonic=lambda: spent.seconds),
    )
    monkeypatch.setattr(
        party.PULSE, "rest", lambda seconds: setattr(spent, "seconds", spent.seconds + seconds)
    )
    return spent


def played(chain: Chain) -> bool:
    seat = Seat("provider", SimpleNamespace(address="0x1"), Claims)
    return play_on(chain, seat, PartyTelling(as_json=True))


@pytest.mark.parametrize(
    ("error", "times"),
    # What the chain refuses is tried twice at once each time.
    [(AWAY, TRIES - 1), (BUSY, TRIES - 1), (FAILED, 2 * (TRIES - 1)), (REFUSED, 9)],
    ids=lambda value: type(value).__name__,
)
def test_what_passes_ends_no_party(error, times):
    assert played(Chain(error, times))


@pytest.mark.parametrize(
    ("error", "tries"), [(AWAY, TRIES), (BUSY, TRIES), (FAILED, TRIES), (REFUSED, REFUSED_TRIES)]
)
def test_what_stays_ends_it_with_what_was_said(error, tries, hours):
    with pytest.raises(type(error), match=re.escape(str(error))):
        played(Chain(error, 10_000))
    assert hours.seconds == (tries - 1) * party.PAUSE_SECONDS


def test_what_is_refused_again_and_again_is_told_once(capsys):
    assert played(Chain(REFUSED, 9))
    told = [line for line in capsys.readouterr().out.splitlines() if '"refused"' in line]
    assert len(told) == 1


def test_failures_hours_apart_do_not_add_up(hours):
    class Later(Chain):
        def send(self, action: Action, account) -> None:
            hours.seconds += 3_600
            super().send(action, account)

    assert played(Later(AWAY, 10 * TRIES))


def test_each_silence_is_told_once(capsys):
    played(Chain(BUSY, 20))
    assert capsys.readouterr().out.count("chain_silent") == 1


def test_what_it_waits_for_is_told_to_programs_too(capsys):
    """And a bot's owner sees the time to it among the metrics."""

    class Late(Chain):
        pauses = 2

        def pause(self, session, clock):
            self.pauses -= 1
            return Pause(600, "submission ends") if self.pauses >= 0 else None

    played(Late(BUSY, 0))
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"event": "waiting", "what": "submission ends", "until": 600} in told
    assert party.STANDING.until == 600
