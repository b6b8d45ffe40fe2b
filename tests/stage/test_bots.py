"""What a bot runs in its thread: a party's command, woken and ended from outside."""

from __future__ import annotations

import sys
import time
from types import ModuleType

import click
import pytest

from bots import command
from bots.command import PartyFileError, PartyThread
from scripts._stage import pulse
from scripts._stage.pulse import Pulse, Standing


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """A pulse and a standing of the test's own."""
    for module in (pulse, command):
        monkeypatch.setattr(module, "PULSE", Pulse())
    for module in (pulse, command):
        monkeypatch.setattr(module, "STANDING", Standing())


@pytest.fixture
def party(monkeypatch):
    """Makes a party of what its command does."""

    def make(work, *arguments: str) -> PartyThread:
        @click.command()
        @click.option("--account")
        @click.option("--yes", is_flag=True)
        @click.option("--json", is_flag=True)
        @click.option("--verbosity")
        @click.option("--network", default="ethereum:local:test")
        def cli(account, yes, json, verbosity) -> None:
            assert yes
            assert json
            work(account)

        module = ModuleType("scripts.stroll")
        module.cli = cli
        monkeypatch.setitem(sys.modules, "scripts.stroll", module)
        return PartyThread("stroll", list(arguments))

    return make


def ended(party: PartyThread) -> None:
    for _ in range(500):
        if party.ended:
            return
        time.sleep(0.01)
    raise AssertionError("it did not end")


def test_a_command_plays_with_its_arguments_asks_nobody_and_ends(party):
    said = []
    one = party(said.append, "--account", "anna")
    assert not one.ended
    one.start()
    ended(one)
    assert (said, one.failure) == (["anna"], None)


def test_a_block_wakes_it_and_an_end_is_no_failure(party):
    looks = []

    def work(_account) -> None:
        while True:
            looks.append(1)
            command.PULSE.rest(600)

    one = party(work)
    one.start()
    for count in (1, 2, 3):
        for _ in range(500):
            if len(looks) == count:
                break
            time.sleep(0.01)
        assert len(looks) == count
        one.wake()
    one.stop()
    ended(one)
    assert one.failure is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (click.ClickException("no session at 0x0"), "no session at 0x0"),
        (ValueError("a bug"), "ValueError: a bug"),
        (SystemExit(3), "SystemExit: 3"),
    ],
)
def test_what_ends_it_is_told(party, error, said, capsys):
    def work(_account) -> None:
        raise error

    one = party(work)
    one.start()
    ended(one)
    assert one.failure == said
    assert f"Error: {said}" in capsys.readouterr().err


def test_metrics_say_how_far_a_deadline_is(party):
    one = party(lambda _: None)
    assert one.metrics(100).keys() == {"head_lag", "sent", "errors"}
    command.STANDING.until, command.STANDING.sent = 160, 2
    found = one.metrics(100)
    assert (found["deadline"], found["sent"]) == (60, 2)
    assert one.metrics(int(time.time()) + 60)["head_lag"] == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no party's file: 'command'"),
        ("command = 'provide'", "'arguments'"),
        ("command = provide", "Invalid value"),
        ("command = 'provide'\narguments = '0x'", "a list of text"),
        ("command = 'provide'\narguments = [1]", "a list of text"),
        ("command = 'provide'\narguments = []\nkey = 'x'", "more or other than command"),
        ("command = 'steal'\narguments = []", "no command 'steal'"),
        ("command = 'figures'\narguments = []", "no party's command"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_by_name(tmp_path, text, said):
    path = tmp_path / "party.toml"
    path.write_text(text)
    with pytest.raises(PartyFileError) as refused:
        PartyThread.from_file(path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_example_is_a_partys_file():
    from tests.kit.strangers import ROOT

    assert PartyThread.from_file(ROOT / "bots" / "party.example.toml").ended is False
