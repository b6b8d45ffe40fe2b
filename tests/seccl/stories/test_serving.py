"""What one `serve` leaves to the next, and what it says before it announces."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from offchain.seccl.audit import AuditError
from scripts._seccl import serving

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
            "open_datastore": lambda *_: nullcontext(store),
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
