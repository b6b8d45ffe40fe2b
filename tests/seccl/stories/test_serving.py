"""What one `serve` leaves to the next, and what it says before it announces."""

from __future__ import annotations

import os
from contextlib import nullcontext, suppress
from itertools import count
from pathlib import Path
from time import sleep
from types import SimpleNamespace

import pytest

from offchain.seccl.audit import AuditError
from offchain.storage.helped import HelpedNode
from offchain.storage.ledger import Ledger
from scripts._seccl import serving
from scripts._stage import retention
from scripts._stage.party import PartyTelling
from tests.kit.memory_store import MemoryStore

ID = b"\1" * 32


@pytest.fixture
def served(monkeypatch):
    """Serves with a session that ends, and an audit that does not; what was done."""
    done: list[str] = []
    chain = SimpleNamespace(session=SimpleNamespace(id=bytes(32), members=3))

    def stops(*_) -> None:
        done.append("audited")
        raise AuditError("the model is lost")

    def serve(begun: bool, **given) -> list[str]:
        offer = SimpleNamespace(
            begun=lambda: SimpleNamespace(until=1, start=2) if begun else None,
            begin=lambda _: done.append("begun"),
            opened=lambda *_: chain,
            over=lambda: done.append("over"),
        )
        store = SimpleNamespace(addresses=())
        for name, value in {
            "party_account": lambda *_: SimpleNamespace(address="0xme"),
            "receiver": lambda to, own: own,
            "home": lambda: Path("/nowhere/seccl"),
            "own_datastore": lambda *_: nullcontext(store),
            "Contracts": SimpleNamespace(on=lambda _: SimpleNamespace(board=None)),
            "Offer": lambda *_: offer,
            "_test_set": lambda *_: None,
            "_new": lambda *_: SimpleNamespace(until=1, start=2),
            "_agreed": lambda *_: done.append("asked") or True,
            "publish_announcement": lambda *_: ID,
            "announced_on": lambda *_: [SimpleNamespace(id=ID)],
            "_serve": lambda *_: done.append("served"),
            "_tell_end": stops,
        }.items():
            monkeypatch.setattr(serving, name, value)
        options = {"as_json": True, "account": "me", "yes": True, "pay_to": None, "network": None}
        options |= {"deployments": None, "ipfs": None, "check": lambda: None, "invite": ()}
        options |= {"asked": lambda *_: None} | given
        with pytest.raises(AuditError):
            serving.run_serve(SimpleNamespace(**options))
        return done

    return serve


def test_an_audit_that_stops_leaves_no_federation_begun(served) -> None:
    """The next command announces another; this one is audited by the command for that."""
    assert served(begun=True) == ["served", "over", "audited"]


@pytest.mark.parametrize("invite", [(), ("0x" + "11" * 20,)])
def test_who_invites_nobody_is_told_that_keys_are_free(served, capsys, invite) -> None:
    assert served(begun=False, invite=invite)[0] == "asked"
    assert ("open_to_all" in capsys.readouterr().out) == (not invite)


def test_who_waits_for_members_keeps_what_they_read_before_they_apply(monkeypatch) -> None:
    """Nobody applies who cannot fetch announcement and task."""
    store = HelpedNode(MemoryStore({}), (), (), Ledger(None))
    task = store.put(b"task")
    store.node.remove(task)
    looks = count()
    monkeypatch.setattr(retention, "LOOK_SECONDS", 0.0)
    for name, value in {
        "name_of": lambda _: "options",
        "line_of": lambda *_: nullcontext(),
        "applications": lambda *_: [],
        "clock": lambda: SimpleNamespace(now=next(looks) if not store.node.pinned else 500),
        "wait_until": lambda _: sleep(0.01),
    }.items():
        monkeypatch.setattr(serving, name, value)
    offer = serving.Offer(
        SimpleNamespace(invited=()),
        SimpleNamespace(address="0xme"),
        SimpleNamespace(board=None),
        store,
    )
    announced = SimpleNamespace(least=2, most=3, until=500)
    assert offer._applicants(announced, ID, PartyTelling(as_json=True)) is None
    assert list(store.node.pinned) == [task]


@pytest.mark.parametrize("after", range(4))
def test_nobody_who_applied_before_is_taken_into_the_next(tmp_path, monkeypatch, after) -> None:
    """Wherever `serve` is killed while it leaves a federation behind: either that one goes on, or
    nothing of it is there."""
    monkeypatch.setattr(serving, "home", lambda: tmp_path)
    monkeypatch.setattr(serving, "name_of", lambda _: "options")
    offer = serving.Offer(None, SimpleNamespace(address="0xme"), None, None)
    files = {kind: offer._file(kind) for kind in ("announcement", "members", "peers")}
    files["members"].parent.mkdir()
    for path in files.values():
        path.write_bytes(b"[]")
    gone: list[Path] = []

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if len(gone) == after:
            raise KeyboardInterrupt
        gone.append(path)
        os.unlink(path)

    with monkeypatch.context() as killed, suppress(KeyboardInterrupt):
        killed.setattr(Path, "unlink", unlink)
        offer.over()
    assert len(gone) == min(after, 3)
    assert files["announcement"].exists() or not any(one.exists() for one in files.values())
