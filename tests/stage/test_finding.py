"""A bot whose file names nothing to join joins what a filter finds, once, and goes on with it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest

from bots import finding
from bots.command import PartyFileError, PartyThread
from bots.finding import Filter, join_found
from offchain.crypto.settlement import NATIVE
from offchain.errors import SoukError
from offchain.policy import TermsRefused
from offchain.roles import Clock
from offchain.task import Task, publish_task
from scripts._stage.market import Open
from scripts._stage.pulse import Pulse, Standing, Stopped
from tests.kit.memory_store import MemoryStore

NOW = 1_000_000
OWN = "0x" + "11" * 20
FOUND = Filter(("cat",), "CC-BY-4.0", "1 ether")
OPTIONS = {"account": "anna", "listen": "", "peer": (), "ipfs": None, "deployments": Path()}


@pytest.fixture
def market(monkeypatch, tmp_path) -> SimpleNamespace:
    """What is open, and how many transactions of the party are in the chain."""
    store = MemoryStore({})
    there = SimpleNamespace(open=[], nonce=0, waits=False, asked=[])

    def offer(name: str, classes: tuple[str, ...] = ("cat", "dog"), **other: Any) -> None:
        task = Task("images", classes, (3, 8, 8), other.pop("licence", "CC-BY-4.0"))
        one = Open(
            mechanism="hyperx",
            address=name,
            block=1,
            author="0x" + "22" * 20,
            task=publish_task(store, task),
            reward=2 * 10**18,
            deposit=1,
            token=NATIVE,
            until=NOW + 3_600,
            joined=0,
        )
        there.open.append(replace(one, **other))

    def listed(mechanism: str, _deployments: Path) -> list[Open]:
        there.asked.append(mechanism)
        return there.open

    there.offer = offer
    pool = SimpleNamespace(nonce=lambda _: there.nonce)
    monkeypatch.setattr(finding, "mechanisms", SimpleNamespace(listed=listed))
    monkeypatch.setattr(finding, "load", lambda *_, **__: SimpleNamespace(address=OWN))
    monkeypatch.setattr(finding, "chain_home", lambda: tmp_path)
    monkeypatch.setattr(finding, "waits", lambda _: there.waits)
    monkeypatch.setattr(finding, "clock", lambda: Clock(NOW, 1))
    monkeypatch.setattr(finding, "ConnectedPool", lambda: pool)
    monkeypatch.setattr(finding, "reading_store", lambda *_: nullcontext(store))
    monkeypatch.setattr(finding, "PULSE", Pulse())
    monkeypatch.setattr(finding, "STANDING", Standing())
    return there


def joined(wanted: Filter = FOUND, **fails: Exception) -> list[str]:
    """What a party joined or tried to in one life, `fails` by reference."""
    tried: list[str] = []

    def join(reference: str) -> None:
        tried.append(reference)
        if reference not in fails:
            return
        try:
            raise fails[reference]
        except SoukError as error:
            raise click.ClickException(str(error)) from error

    try:
        join_found("provide", wanted, OPTIONS, join)
    except (Stopped, click.ClickException) as error:
        tried.append(type(error).__name__)
    return tried


def test_the_first_to_end_of_what_is_wanted_is_joined(market):
    market.offer("dogs", ("dog", "emu"))
    market.offer("dear", licence="MIT")
    market.offer("poor", reward=10**17)
    market.offer("late", until=NOW + 599)
    market.offer("own", author=OWN, until=NOW + 700)
    market.offer("later", until=NOW + 7_200)
    market.offer("this")
    assert joined() == ["this"]
    assert set(market.asked) == {"hyperx"}


def test_what_is_not_there_yet_is_waited_for(market, monkeypatch, capsys):
    """From block to block; a node that is busy is no reason to end."""
    looks = []

    def rest(_seconds: float) -> None:
        looks.append(1)
        if len(looks) == 1:
            monkeypatch.setattr(finding, "browse", busy)
        if len(looks) == 2:
            market.offer("this")
            monkeypatch.setattr(finding, "browse", real)

    def busy(*_: Any) -> None:
        raise SoukError("the node is busy (HTTP 503)")

    real = finding.browse
    monkeypatch.setattr(finding.PULSE, "rest", rest)
    assert joined() == ["this"]
    assert len(looks) == 2
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["event"] for one in told] == ["looking", "chain_silent", "found"]


def test_who_was_killed_goes_on_with_the_same(market):
    """Its deposit lies there, whatever else is found by now."""
    market.offer("this")
    assert joined(this=Stopped()) == ["this", "Stopped"]
    market.offer("sooner", until=NOW + 700)
    assert joined() == ["this"]
    assert joined() == ["sooner"], "what is over is not joined again"


def test_what_the_owners_limits_refuse_is_passed_over(market):
    market.offer("greedy", until=NOW + 700)
    market.offer("this")
    refused = TermsRefused("terms refused: deposit: 2, at most 1 is accepted")
    assert joined(greedy=refused) == ["greedy", "this"]


def test_nothing_is_passed_over_once_something_was_sent(market):
    """Nor for what may pass: the party would leave what it paid."""
    market.offer("this")
    assert joined(this=click.ClickException("the node is busy")) == ["this", "ClickException"]
    market.offer("other", until=NOW + 700)
    refused = TermsRefused("terms refused: an option is another by now")
    market.waits = True
    assert joined(this=refused) == ["this", "ClickException"]
    market.waits, market.nonce = False, 1
    assert joined(this=refused) == ["this", "ClickException"]
    assert joined() == ["this"]


@pytest.mark.parametrize(
    ("find", "said"),
    [
        ("'cat'", "find has class, a list of text"),
        ("{class = 'cat'}", "find has class, a list of text"),
        ("{class = [3]}", "find has class, a list of text"),
        ("{licence = 3}", "the texts licence, least-reward, token"),
        ("{price = '1'}", "find has class"),
    ],
)
def test_a_filter_that_is_none_is_refused(tmp_path, find, said):
    path = tmp_path / "party.toml"
    path.write_text(f"command = 'provide'\narguments = []\nfind = {find}\n")
    with pytest.raises(PartyFileError, match=said):
        PartyThread.from_file(path)


def test_who_joins_nothing_finds_nothing(tmp_path):
    path = tmp_path / "party.toml"
    path.write_text("command = 'open'\narguments = []\nfind = {licence = 'MIT'}\n")
    with pytest.raises(PartyFileError, match="find: 'open' joins nothing that others made"):
        PartyThread.from_file(path)


@pytest.mark.parametrize("command", finding.JOINS)
def test_every_command_that_joins_is_given_what_was_found(command, monkeypatch):
    """In the place of its one argument, with all that its file says."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(
        "bots.command.join_found", lambda name, wanted, options, join: join(f"{name}'s")
    )
    arguments = ["--account", "TEST::0"] + ["--level", "1"] * (command == "buy")
    one = PartyThread(command, arguments, FOUND)
    monkeypatch.setattr(one._command, "callback", lambda **values: given.update(values))
    one._run()
    assert one.failure is None
    assert f"{command}'s" in given.values()
    assert given["account"] == "TEST::0"
    assert "" not in given.values()
