"""What `ape run browse` takes and what it passes over."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from threading import Barrier, BrokenBarrierError

import click
import pytest

from offchain.crypto.settlement import NATIVE
from offchain.roles import Clock
from offchain.storage import ContentMissing
from offchain.storage.together import PARALLEL
from offchain.task import Task, publish_task
from scripts._stage import browsing, market
from scripts._stage.market import Open, Wanted, browse
from tests.kit.memory_store import MemoryStore

TASK = Task("images", ("café", "cat"), (3, 0, 0), "CC-BY-4.0")


@pytest.fixture
def store():
    return MemoryStore({})


@pytest.fixture
def one(store):
    return Open("hyperx", "0x1", 1, "0x2", publish_task(store, TASK), 100, 50, NATIVE, 1_000, 0)


@pytest.mark.parametrize(
    ("wanted", "taken"),
    [
        (Wanted(), True),
        (Wanted(classes=("cat",)), True),
        (Wanted(classes=("cafe\u0301", "cat")), True),
        (Wanted(classes=("cat", "dog")), False),
        (Wanted(licence="cc-by-4.0"), True),
        (Wanted(licence="MIT"), False),
        (Wanted(least_reward=100), True),
        (Wanted(least_reward=101), False),
        (Wanted(least_reward=1, token="0xT"), False),
        (Wanted(after=999), True),
        (Wanted(after=1_000), False),
    ],
)
def test_a_filter_takes_what_it_says(store, one, wanted, taken):
    assert browse([lambda: [one]], wanted, store) == ([(one, TASK)] if taken else [])


def test_amounts_are_compared_in_one_coin_alone(store, one):
    """A token's smallest units may be worth anything: a million of them are no reward."""
    token = replace(one, reward=10**30, token="0xT")
    found = lambda wanted: [pair[0] for pair in browse([lambda: [token, one]], wanted, store)]  # noqa: E731
    assert found(Wanted()) == [token, one]
    assert found(Wanted(least_reward=100)) == [one]
    assert found(Wanted(least_reward=100, token="0xT")) == [token]


def test_a_task_that_cannot_be_had_is_told_as_unknown_and_passes_no_filter(store, one):
    """Nor does one that is none: a stranger chose the digest."""
    lost = replace(one, task=bytes(32))
    none = replace(one, task=publish_task(store, replace(TASK, licence="MIT")), until=2_000)
    store.network.update({})
    assert browse([lambda: [lost]], Wanted(), store) == [(lost, None)]
    assert browse([lambda: [lost]], Wanted(licence="MIT"), store) == []
    assert browse([lambda: [lost], lambda: [none, one]], Wanted(licence="MIT"), store)[0][0] == none


def test_what_ends_first_comes_first(store, one):
    late = replace(one, until=5_000)
    found = browse([lambda: [late], lambda: [one]], Wanted(), store)
    assert [pair[0] for pair in found] == [one, late]


class Together(MemoryStore):
    """Answers that content is missing once `count` ask for it at the same time."""

    def __init__(self, count: int) -> None:
        super().__init__({})
        self.barrier, self.alone = Barrier(count), 0

    def get(self, cid, max_bytes=None):
        try:
            self.barrier.wait(5)
        except BrokenBarrierError:
            self.alone += 1
        raise ContentMissing(cid)


def test_tasks_that_are_nowhere_are_waited_for_at_once(one):
    """Whoever opens sessions for gas keeps nobody from the others, a time-out for each."""
    junk = [replace(one, task=bytes([number]) * 32) for number in range(PARALLEL)]
    store = Together(len(junk))
    assert browse([lambda: junk], Wanted(), store) == [(each, None) for each in junk]
    assert store.alone == 0


def test_what_is_to_be_copied_is_whole_however_narrow_the_terminal(one, monkeypatch, capsys):
    """And who asks for a class by a wrong name is told what there is."""
    long = replace(one, address="0x" + "ab" * 32)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr(browsing, "clock", lambda: Clock(0, 0))
    monkeypatch.setattr(browsing, "reading_store", lambda *_: nullcontext(None))
    monkeypatch.setattr(market, "fetch_task", lambda *_: TASK)
    monkeypatch.setattr(browsing, "is_there", lambda _: True)

    def told(*classes: str) -> str:
        asked = dict.fromkeys(("licence", "least_reward", "token", "ipfs", "deployments"))
        browsing.run_browse(
            lambda *_: [long],
            ("hyperx",),
            classes=classes,
            all_=False,
            listen="",
            peer=(),
            as_json=False,
            **asked,
        )
        return capsys.readouterr().out

    assert f"1  ape run provide {long.address}\n" in told("cat")
    assert "1, with classes café, cat." in " ".join(told("cats").split())


def test_a_chain_without_contracts_is_told_with_its_node(monkeypatch):
    """Who forgot to say where the chain is gets another one, on which nothing is open."""
    monkeypatch.setattr(browsing, "reading_store", lambda *_: nullcontext(None))
    monkeypatch.setattr(browsing, "is_there", lambda _: False)
    asked = dict.fromkeys(("licence", "least_reward", "token", "ipfs", "deployments"))
    with pytest.raises(click.ClickException, match=r"no contract of Souk's on local at http.*HOST"):
        browsing.run_browse(
            lambda *_: (),
            ("hyperx",),
            classes=(),
            all_=False,
            listen="",
            peer=(),
            as_json=False,
            **asked,
        )
