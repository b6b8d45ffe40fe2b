"""Who never agreed is no member, whoever names it one; and a dry run takes part in nothing."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from offchain.roles import Clock
from offchain.seccl.letters import Application, written
from scripts._seccl import joining

ME, ID, UNTIL = "0xme", b"\1" * 32, 1_000
SESSION = SimpleNamespace(id=bytes(32), members=3, description=SimpleNamespace(members=(ME,)))


class Letters(list):
    """A line that is over as soon as it was read."""

    def received(self):
        return self


@pytest.fixture
def joined(monkeypatch):
    """Joins by `written` letters what a server opened, or did not; what was asked and done."""

    def join(letters=(), opened=True, dry_run=False, now=UNTIL, agrees=True) -> list[str]:
        done: list[str] = []

        @contextmanager
        def line_of(*_):
            yield Letters(letters)

        def agreed(*_) -> bool:
            done.append("asked")
            return agrees and not dry_run

        store = SimpleNamespace(addresses=(), connect=lambda peers: None)
        chain = SimpleNamespace(session=SESSION) if opened else None
        for name, value in {
            "party_account": lambda *_: SimpleNamespace(address=ME),
            "receiver": lambda to, own: own,
            "home": lambda: Path("/nowhere/seccl"),
            "own_datastore": lambda *_: nullcontext(store),
            "announcement": lambda *_: (
                SimpleNamespace(task=bytes(32), until=UNTIL),
                SimpleNamespace(id=ID),
            ),
            "fetch_task": lambda *_: SimpleNamespace(peers=()),
            "session_for": lambda *_: chain,
            "line_of": line_of,
            "clock": lambda: Clock(now, 1),
            "_agreed": agreed,
            "_admitted": lambda *_: done.append("applied"),
            "_take_part": lambda *_: done.append("took part"),
        }.items():
            monkeypatch.setattr(joining, name, value)
        known = SimpleNamespace(board=None)
        monkeypatch.setattr(joining, "Contracts", SimpleNamespace(on=lambda _: known))
        monkeypatch.setattr(joining, "Own", SimpleNamespace(of=lambda *_: None))
        given = {"as_json": True, "account": "me", "yes": True, "pay_to": None, "network": None}
        options = SimpleNamespace(deployments=None, ipfs=None, dry_run=dry_run, **given)
        joining.run_join("0x", options)
        return done

    return join


MINE = [(ME, written(Application(ID, ())))]
OTHERS = [
    ("0xother", MINE[0][1]),
    (ME, b"{}"),
    (ME, written(Application(b"\2" * 32, ()))),
]


def test_whom_a_server_names_a_member_unasked_is_asked_first(joined) -> None:
    assert joined(OTHERS, agrees=False) == ["asked"]
    assert joined(OTHERS) == ["asked", "took part"]


def test_who_applied_goes_on_unasked(joined) -> None:
    assert joined(OTHERS + MINE) == ["took part"]
    assert joined(OTHERS + MINE, opened=False) == ["applied"]


@pytest.mark.parametrize("letters", [MINE, OTHERS])
@pytest.mark.parametrize("opened", [True, False])
def test_a_dry_run_takes_part_in_nothing(joined, letters, opened: bool) -> None:
    assert joined(letters, opened=opened, dry_run=True, now=UNTIL - 1) == ["asked"]


def test_who_comes_too_late_is_told_so(joined) -> None:
    assert joined(OTHERS, opened=False, now=UNTIL - 1) == ["asked", "applied"]
    with pytest.raises(click.ClickException, match="applications ended 0 seconds ago"):
        joined(OTHERS, opened=False)
