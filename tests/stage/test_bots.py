"""What a bot runs in its thread: a party's command, woken and ended from outside."""

from __future__ import annotations

import asyncio
import itertools
import signal
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import click
import pytest
from silverback.exceptions import Halt
from silverback.runner import PollingRunner
from web3.exceptions import BlockNotFound

from bots import command
from bots.command import PartyFileError, PartyThread
from scripts._stage import pulse
from scripts._stage.pulse import Pulse, Standing
from tests.kit.nursery import ROOT


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
        (click.ClickException(""), "ClickException"),
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
        (
            "command = 'provide'\narguments = ['0x1', '--network', 'ethereum:sepolia:node']",
            "--network stands on silverback's command line",
        ),
        ("command = 'keep'\narguments = ['--network=ethereum:local']", "--network stands on"),
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
    assert PartyThread.from_file(ROOT / "bots" / "party.example.toml").ended is False


@pytest.fixture
def runner(monkeypatch, project) -> Iterator[Any]:
    """What Silverback runs, of a party that goes on; nothing is behind it."""
    monkeypatch.setenv("SOUK_PARTY", str(ROOT / "bots" / "party.example.toml"))
    module = import_module("bots.party")
    monkeypatch.setattr(module, "party", SimpleNamespace(ended=False, failure=None))

    async def nothing(_self) -> None:
        pass

    monkeypatch.setattr(PollingRunner, "shutdown", nothing)
    one = module.PartyRunner.__new__(module.PartyRunner)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield one
    for number, handler in handlers.items():
        signal.signal(number, handler)


def ran(runner: Any, monkeypatch: pytest.MonkeyPatch, work: Any) -> int:
    """The exit status of a bot that has this work."""

    async def startup() -> list[Any]:
        return [work()]

    monkeypatch.setattr(runner, "startup", startup, raising=False)
    try:
        asyncio.run(runner.run())
    except SystemExit as ended:
        return int(str(ended))
    return 0


def test_a_bot_that_ends_before_its_party_failed(runner, monkeypatch):
    """A service manager starts it again; with status 0 its party's coins would stay where they
    are."""

    async def broken() -> None:
        raise BlockNotFound("Block with id: '0x1' not found.")

    async def asked() -> None:
        runner.shutdown_event.set()

    async def over() -> None:
        sys.modules["bots.party"].party.ended = True
        raise Halt

    assert ran(runner, monkeypatch, broken) == 1
    runner.left_early = False
    assert ran(runner, monkeypatch, asked) == 0
    assert ran(runner, monkeypatch, over) == 0


@pytest.mark.parametrize("error", [BlockNotFound("Block with id: '0x1' not found."), Halt()])
def test_a_block_that_is_gone_again_ends_no_bot(runner, monkeypatch, error):
    """A node that is behind, or took it back, has no block of its hash."""

    async def fails(*_arguments) -> None:
        raise error

    monkeypatch.setattr(runner, "run_task", fails, raising=False)
    asyncio.run(runner._told(None, SimpleNamespace(number=5)))


def test_a_bot_ends_when_its_party_does(runner, monkeypatch):
    """Without an error: the party is over, and nothing went wrong."""
    module = sys.modules["bots.party"]
    told: list[str] = []
    numbers = itertools.count()

    def block(_which: str) -> SimpleNamespace:
        return SimpleNamespace(hash=f"0x{next(numbers)}")

    async def task(_data: Any, found: SimpleNamespace) -> None:
        told.append(found.hash)
        module.party.ended = len(told) == 2

    async def run() -> bool:
        runner.shutdown_event = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            runner._runtime_task_group = group
            await asyncio.wait_for(runner._block_task(SimpleNamespace()), 30)
        return runner.shutdown_event.is_set()

    monkeypatch.setattr(module, "poll_seconds", lambda: 0.01)
    monkeypatch.setattr(module, "chain", SimpleNamespace(provider=SimpleNamespace(get_block=block)))
    monkeypatch.setattr(runner, "run_task", task, raising=False)
    assert asyncio.run(run())
    assert len(told) == 2
