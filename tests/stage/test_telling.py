"""Whoever reads a command's output through a pipe knows what it does and how far it is."""

from __future__ import annotations

import io
import time
from threading import Event

import pytest
from rich.console import Console

from scripts._stage import work
from scripts._stage.party import PartyTelling
from scripts._stage.telling import Telling


class Clock:
    """Seconds that pass when the test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Pipe(io.StringIO):
    """Keeps when each line came."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock, self.lines = clock, []
        self.written = Event()

    def write(self, text: str) -> int:
        self.lines += [(self.clock(), line) for line in text.splitlines() if line]
        self.written.set()
        return len(text)

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.lines]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pipe(clock) -> Pipe:
    return Pipe(clock)


@pytest.fixture
def telling(pipe, clock) -> Telling:
    return Telling(Console(file=pipe, width=80), clock=clock)


@pytest.mark.parametrize("every", [0.1, 0.7, 1.0, 2.0])
def test_silence_never_exceeds_ten_seconds_while_progress_is_reported(
    telling, pipe, clock, every
) -> None:
    """Nor is there a line for every step."""
    with telling.doing("training") as progress:
        for done in range(1, round(100 / every)):
            clock.now = done * every
            progress(done, 1_000)
    times = [when for when, _ in pipe.lines]
    assert times[0] == 0
    assert max(b - a for a, b in zip(times, [*times[1:], clock.now], strict=True)) <= 10
    assert len(times) <= 14


def test_a_line_tells_what_is_done_and_how_far_it_is(telling, pipe, clock) -> None:
    with telling.doing("making masks") as progress:
        clock.now = 9
        progress(3, 2_000)
        clock.now = 20
        telling.turn_to("training 7")
        clock.now = 31
        progress(12, 300)
    assert pipe.texts == [
        "making masks ...",
        "making masks: 3 of 2,000, 9 s",
        "making masks, training 7, 20 s",
        "making masks, training 7: 12 of 300, 31 s",
    ]


def test_work_that_says_nothing_is_told_of_too(telling, pipe, clock, monkeypatch) -> None:
    """A training that reports no progress keeps nobody waiting for a sign of life."""
    monkeypatch.setattr(work, "_LOOK_SECONDS", 0.001)
    with telling.doing("training"):
        clock.now = 60
        pipe.written.clear()
        assert pipe.written.wait(60)
    assert pipe.texts == ["training ...", "training, 60 s"]


def test_short_work_is_one_line_or_none(telling, pipe, clock) -> None:
    with telling.doing("deploying") as progress:
        clock.now = 3
        progress(1, 2)
    with telling.doing("asking", announced=False):
        clock.now = 4
    assert pipe.texts == ["deploying ..."]


def test_what_is_said_meanwhile_counts_as_a_sign_of_life(telling, pipe, clock) -> None:
    with telling.doing("trading") as progress:
        clock.now = 7
        telling.say("provider 1 registers")
        clock.now = 14
        progress(1, 2)
    assert pipe.texts == ["trading ...", "provider 1 registers"]
    assert telling.log == ["provider 1 registers"]


def test_work_inside_other_work_is_told_in_its_place(telling, pipe, clock) -> None:
    """And when it is over, the outer goes on."""
    with telling.doing("selling"):
        with telling.doing("encrypting", announced=False) as progress:
            clock.now = 12
            progress(1, 4)
        clock.now = 24
        telling.turn_to("buyer 1 at work")
    assert pipe.texts == [
        "selling ...",
        "encrypting: 1 of 4, 12 s",
        "selling, buyer 1 at work, 24 s",
    ]


def test_nothing_is_said_once_work_is_over_even_if_it_failed(
    telling, pipe, clock, monkeypatch
) -> None:
    monkeypatch.setattr(work, "_LOOK_SECONDS", 0.001)
    with pytest.raises(KeyboardInterrupt), telling.doing("training") as progress:
        raise KeyboardInterrupt
    clock.now = 100
    progress(1, 2)
    telling.turn_to("more")
    time.sleep(0.05)
    assert pipe.texts == ["training ..."]


def test_a_terminal_shows_bars_that_are_gone_when_the_work_is_done() -> None:
    screen = io.StringIO()
    telling = Telling(Console(file=screen, width=80, force_terminal=True))
    with telling.doing("training [red]") as progress:
        progress(3, 4)
        telling.turn_to("part two")
        telling.say("meanwhile")
    shown = screen.getvalue()
    assert "training [red]" in shown
    assert "part two" in shown
    assert "meanwhile" in shown
    left = shown.rpartition("\x1b[2K")[2]
    assert left.strip() == "\x1b[?25h", "the bar's line is cleared, and the cursor back"


def test_strangers_words_are_no_markup(telling, pipe) -> None:
    telling.say("[red]name[/]")
    telling.verdict(["[bold]bad[/]"])
    assert pipe.texts == ["[red]name[/]", "not as it should be: [bold]bad[/]"]


def test_how_far_a_party_is_within_its_turn_is_told_every_ten_seconds_at_most(capsys):
    now = [0.0]
    for as_json in (True, False):
        now[0] = 0.0
        told = PartyTelling(clock=lambda: now[0], as_json=as_json).far("shards stored")
        for now[0] in (0, 9, 10, 11, 19, 20.5):
            told(int(now[0]), 2000)
    assert capsys.readouterr().out.splitlines() == [
        '{"event": "progress", "what": "shards stored", "done": 10, "total": 2000}',
        '{"event": "progress", "what": "shards stored", "done": 20, "total": 2000}',
        "shards stored: 10 of 2,000",
        "shards stored: 20 of 2,000",
    ]
