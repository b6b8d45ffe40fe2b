"""A rehearsal that waits: its answers are told again, in order, whoever was killed when; and what
it takes is asked for before."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import click
import numpy as np
import pytest

from scripts._sum.waiting import Journal, Outlook


def never() -> None:
    raise AssertionError("it was answered in an earlier life")


@pytest.fixture
def path(tmp_path) -> Path:
    """Of a journal with two answers."""
    path = tmp_path / "chain" / "share.jsonl"
    journal = Journal(path)
    assert [journal.remember(lambda: 7), journal.remember(lambda: {"at": 3})] == [7, {"at": 3}]
    return path


def test_what_was_answered_is_told_again_and_what_follows_is_asked(path) -> None:
    journal = Journal(path)
    assert journal.replaying
    assert [journal.remember(never), journal.remember(never)] == [7, {"at": 3}]
    assert not journal.replaying
    assert journal.remember(lambda: "new") == "new"
    assert path.read_bytes() == b'7\n{"at": 3}\n"new"\n'


@pytest.mark.parametrize("rest", [b"1", b'{"at"', b"\xc3"])
def test_a_line_whose_writer_was_killed_within_it_never_was(path, rest, monkeypatch) -> None:
    """It is cut off, and what stands before it is not written anew: that, too, may be killed."""
    whole = path.read_bytes()
    path.write_bytes(whole + rest)
    monkeypatch.setattr(Path, "write_bytes", never)
    journal = Journal(path)
    assert path.read_bytes() == whole
    assert [journal.remember(never), journal.remember(never)] == [7, {"at": 3}]
    assert journal.remember(lambda: 5) == 5
    assert path.read_bytes() == whole + b"5\n"


def test_what_an_agent_needs_is_what_its_balance_falls_by_at_most() -> None:
    """Whatever it gains later. In wei; balances are in coins."""
    histories = [
        SimpleNamespace(balances=np.array(balances))
        for balances in ([50.0, 47.5, 52.0, 49.0], [50.0, 51.0])
    ]
    run = SimpleNamespace(setting=SimpleNamespace(coin=10), histories=histories, ended_at=7)
    assert Outlook.of(run) == Outlook(7, (25, 0))


def test_an_account_has_more_than_the_model_takes_for_gas_is_paid_too() -> None:
    """The owner, who is the first, pays gas alone."""
    owner, agent = (SimpleNamespace(address=name, balance=0) for name in ("0xowner", "0xagent"))
    agent.balance = 5
    with pytest.raises(click.ClickException, match=r"0xagent has .* ETH and gas are needed"):
        Outlook(1, (5,)).agreed([owner, agent], yes=True)
    agent.balance = 6
    Outlook(1, (5,)).agreed([owner, agent], yes=True)
