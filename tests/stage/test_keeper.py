"""Who computes nothing loads nothing that computes; what a keeper does, and how often it tries."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from types import SimpleNamespace

import pytest

from offchain.roles import Clock
from offchain.seccl.listed import Catalogues
from offchain.storage import DatastoreUnavailable
from scripts._market import mechanisms
from scripts._market.mechanisms import KEPT, MECHANISMS
from scripts._stage import keeping
from scripts._stage.chain import ActionRefused
from scripts._stage.keeping import Duty, keep
from scripts._stage.party import PartyTelling
from scripts._stage.pulse import Stopped
from tests.kit.memory_store import MemoryStore

ALL_HAVE = "browsing", "keeping", "watching", "withdrawing"
"""By which a mechanism tells, keeps, and pays out."""
COMPUTE_NOT = (
    *("bots.command", "scripts.keep", "scripts._stage.keeping", "scripts._stage.party"),
    *("scripts._stage.deploying", "scripts._stage.browsing", "scripts._stage.content"),
    *("scripts._hide.listing", "scripts._sum.publishing", "scripts._sum.teaching"),
    *("scripts._sum.waiting", "scripts._sum.predicting", "scripts._sum.exporting"),
)


def test_who_computes_nothing_loads_no_torch():
    rooms = [f"scripts._{name}.{module}" for name in MECHANISMS for module in ALL_HAVE]
    looks = (
        "import sys; from importlib import import_module\n"
        f"for name in {[*COMPUTE_NOT, *rooms]}:\n"
        "    import_module(name)\n"
        "    assert 'torch' not in sys.modules, name\n"
    )
    subprocess.run([sys.executable, "-c", looks], check=True)


def test_all_mechanisms_are_kept():
    assert set(KEPT) == set(MECHANISMS)


def test_what_is_refused_is_tried_ever_more_seldom(monkeypatch):
    """Each try may cost gas; another's duty is done all the same."""
    time = SimpleNamespace(now=0)
    tried: list[tuple[str, int]] = []
    looks: list[int] = []

    def transact(method, arguments, account):
        tried.append((method, time.now))
        if method == "refused":
            raise ActionRefused("refused", by_contract=True)
        return SimpleNamespace(gas_used=1, txn_hash="0x1")

    def look():
        looks.append(time.now)

    def next_block():
        time.now += 1
        if time.now == 200:
            raise Stopped

    monkeypatch.setattr(keeping, "clock", lambda: Clock(time.now, time.now))
    monkeypatch.setattr(keeping, "next_block", next_block)
    monkeypatch.setattr(keeping, "look", look)
    monkeypatch.setattr(keeping, "transact", transact)
    due = [Duty("0x0", "what nobody takes", "refused"), Duty("0x0", "what is due", "taken")]
    with pytest.raises(Stopped):
        keep([lambda: due], SimpleNamespace(address="0x1"), PartyTelling(as_json=True))
    refused = [at for method, at in tried if method == "refused"]
    assert [later - earlier for earlier, later in pairwise(refused)] == [12, 24, 48, 96]
    assert len(tried) - len(refused) == 200
    assert looks == list(range(200))


def test_what_is_told_before_the_datastore_falls_silent_is_done(monkeypatch, capsys):
    done: list[str] = []

    def transact(method, arguments, account):
        done.append(method)
        return SimpleNamespace(gas_used=1, txn_hash="0x1")

    def due():
        yield Duty("0x0", "what is due", "taken")
        raise DatastoreUnavailable("it does not answer")

    monkeypatch.setattr(keeping, "clock", lambda: Clock(0, 0))
    monkeypatch.setattr(keeping, "transact", transact)
    keep([due, due], SimpleNamespace(address="0x1"), PartyTelling(as_json=True), once=True)
    assert done == ["taken", "taken"]
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["event"] for one in said] == ["kept", "datastore_silent"] * 2


def test_catalogues_that_are_fetched_are_so_from_look_to_look(tmp_path):
    with_store = mechanisms.duties("seccl", tmp_path, MemoryStore({}))
    assert any(isinstance(one, Catalogues) for one in with_store.args)
    for name in KEPT:
        assert mechanisms.duties(name, tmp_path).args == (tmp_path,)
