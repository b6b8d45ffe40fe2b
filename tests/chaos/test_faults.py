"""What goes wrong is drawn from a seed, and a table says what came of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.chaos.fault import Fault
from tests.chaos.faults import KINDS, Kill, Lags, TakenBack
from tests.chaos.sheets import BROKEN, NOT_RUN, ends, page
from tests.chaos.stage import Ended
from tests.kit.proxy import Busy, HungUp, Told

PARTIES = "anna", "bert"
PAID = {"sara": 8, "anna": -8}


class Chain:
    """One of 100 blocks, in which what is asked for came in the newest."""

    def __init__(self) -> None:
        self.reorganised: list[int] = []

    def height(self):
        return 100

    def ask(self, method, *parameters):
        return {"number": "0x64", "blockNumber": "0x64"}

    def reorganise(self, depth):
        self.reorganised.append(depth)
        return depth


def on_stage(kind: type[Fault], seed: int) -> tuple[Fault, list[str]]:
    """A fault, and what it does to the stage, in order."""
    done: list[str] = []

    def kill(party):
        done.append(party)
        return True

    fault = kind(seed, PARTIES)
    stores = {one: SimpleNamespace(forget=lambda one=one: done.append(one)) for one in PARTIES}
    stage = SimpleNamespace(
        chain=Chain(), kill=kill, kill_node=lambda away: done.append(str(away)), stores=stores
    )
    fault.on(stage)
    return fault, done


def story(kind: type[Fault], seed: int) -> list[object]:
    """All that happens to parties that ask a thousand times."""
    fault, done = on_stage(kind, seed)
    found: list[object] = [fault.skew(one) for one in PARTIES]
    for number in range(1_000):
        method = "eth_sendRawTransaction" if number % 50 == 0 else "eth_blockNumber"
        for party in PARTIES:
            try:
                fault.before(party, {"method": method, "params": [hex(number)]})
                fault.after(party, {"method": method, "params": [hex(number)]})
            except (Busy, HungUp, Told) as error:
                found.append((number, party, repr(error)))
            found.append(fault.stored(party, "cat"))
            found.append(fault.stored(party, "add"))
    return [*found, *done, fault.stage.chain.reorganised if hasattr(fault, "stage") else None]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_is_the_same_story_and_another_is_another(kind):
    assert story(kind, 1) == story(kind, 1)
    assert story(kind, 1) != story(kind, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_strikes_and_counts_it(kind):
    fault, _ = on_stage(kind, 1)
    assert sum(fault.strikes.values()) == 0
    for party in PARTIES:
        fault.skew(party)
        for number in range(1_000):
            method = "eth_sendRawTransaction" if number % 50 == 0 else "eth_blockNumber"
            try:
                fault.before(party, {"method": method, "params": [hex(number)]})
                fault.after(party, {"method": method, "params": [hex(number)]})
            except (Busy, HungUp, Told):
                pass
            fault.stored(party, "cat")
            fault.stored(party, "add")
    assert sum(fault.strikes.values()) > 0


def test_a_party_is_killed_as_often_as_is_said_and_no_more():
    _, done = on_stage(Kill, 1)
    story_ = [one for one in story(Kill, 1) if one in PARTIES]
    assert done == []
    assert sorted(story_) == sorted(PARTIES * Kill.TIMES)


def test_blocks_are_taken_back_once_after_each_transaction():
    """Also where it is offered again; one deeper each time."""
    fault, _ = on_stage(TakenBack, 1)
    for number in range(1_000):
        raw = hex(number // 200)
        method = "eth_sendRawTransaction" if number % 50 == 0 else "eth_blockNumber"
        fault.after("anna", {"method": method, "params": [raw]})
    depths = fault.stage.chain.reorganised
    assert depths == [(depths[0] - 1 + i) % 12 + 1 for i in range(5)]


def test_a_node_that_is_behind_shows_nothing_newer():
    fault, _ = on_stage(Lags, 1)
    for method in ("eth_getTransactionReceipt", "eth_getBlockByHash"):
        with pytest.raises(Told) as told:
            fault.behind({"method": method, "params": ["0x1"]}, 3)
        assert told.value.args == (None,)
    with pytest.raises(Told) as told:
        fault.behind({"method": "eth_blockNumber", "params": []}, 3)
    assert told.value.args == (hex(97),)
    with pytest.raises(Told) as told:
        fault.behind({"method": "eth_getBlockByNumber", "params": [hex(98), False]}, 3)
    assert told.value.args == (None,)
    call = {"method": "eth_getLogs", "params": [{"fromBlock": "0x1", "toBlock": "latest"}]}
    fault.behind(call, 3)
    assert call["params"] == [{"fromBlock": "0x1", "toBlock": hex(97)}]
    call = {"method": "eth_call", "params": [{"to": "0x1"}, "latest"]}
    fault.behind(call, 3)
    assert call["params"] == [{"to": "0x1"}, hex(97)]


def ended(gains, *, stuck=(), wrong=(), strikes=1) -> Ended:
    return Ended(gains, PAID, dict(stuck), strikes, 0, 0, [], list(wrong), 1.0)


def test_a_run_ends_as_rehearsed_or_with_a_loss_that_is_named_or_is_broken():
    assert ends("hide", ended(PAID)) == "same"
    assert ends("hide", ended({"sara": 0, "anna": 0})) == "a"
    assert ends("hide", ended({"sara": 1, "anna": -8})) == BROKEN
    assert ends("hide", ended(PAID, stuck={"0x1": 1})) == BROKEN
    assert ends("hide", ended({"sara": 0, "anna": 0}, stuck={"0x1": 1})) == BROKEN
    assert ends("hide", ended(PAID, wrong=["anna was not over in time"])) == BROKEN


def test_a_cell_that_was_not_run_says_so():
    found = {
        ("hide", "kill"): [ended(PAID), ended({"sara": 0, "anna": 0}), ended(PAID, strikes=0)],
        ("sum", "kill"): [ended(PAID, strikes=0)],
    }
    said = page(("hide", "sum"), (Kill,), found)
    assert f"(`kill`) | 1 a, 1 same | {NOT_RUN} |" in said
    assert "a: nothing was sold" in said
