"""A keeper does what anybody may do for parties that are away, once, and nothing else."""

from __future__ import annotations

import json

import pytest

from scripts._hyperx import keeping
from scripts._stage.keeping import Duty, keep
from scripts._stage.party import PartyTelling


@pytest.fixture
def kept(candidate, monkeypatch, tmp_path, stranger, capsys):
    """Lets a stranger keep this session now; what it told."""
    from scripts._stage.market import Open

    one = Open("hyperx", candidate.session.address, 0, "", b"", 0, 0, "", 0, 0)
    monkeypatch.setattr(keeping, "listed", lambda deployments: [one])

    def keep_once() -> list[dict]:
        capsys.readouterr()
        keep([lambda: keeping.duties(tmp_path)], stranger, PartyTelling(as_json=True), once=True)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return keep_once


def test_a_window_that_lapsed_is_settled_once(candidate, kept):
    assert kept() == []
    candidate.go_to(candidate.deadline - 2)
    assert kept() == []
    candidate.go_to(candidate.deadline)
    (told,) = kept()
    assert (told["event"], told["about"]) == ("kept", candidate.session.address)
    assert candidate.session.status().candidate == "0x" + 40 * "0"
    assert kept() == []


def test_what_is_refused_is_told_and_ends_no_keeper(candidate, stranger, capsys):
    duty = Duty("0x", "closed what is the collector's", candidate.session.close)
    keep([lambda: [duty]], stranger, PartyTelling(as_json=True), once=True)
    told = json.loads(capsys.readouterr().out)
    assert told["event"] == "refused"
    assert "NotCollector" in told["reason"]
