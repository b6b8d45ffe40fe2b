"""Members report who uploaded nothing, before they vote, and only what the board can be shown."""

from __future__ import annotations

import pytest

from offchain.crypto import commitments as cm
from offchain.seccl import actions as do
from offchain.seccl.audit import audit
from tests.kit.wallets import recover
from tests.offchain.seccl.session_in_memory import Yard, made_updates

SILENT = 0
"""The member whom all would elect."""


def without(silent: int, batched: bool) -> Yard:
    """A round in which one member uploads nothing."""
    yard = Yard.new(batched=batched)
    yard.upload(silent=silent)
    return yard


@pytest.mark.parametrize("batched", [True, False], ids=["batch", "single"])
def test_who_uploaded_nothing_is_reported_once_and_not_elected(batched: bool) -> None:
    """The path is that of its empty leaf; the audit counts the same result."""
    yard = without(SILENT, batched)
    reading = yard.reading()
    (report,) = yard.members[1].absences(0, reading)
    assert isinstance(report, do.ReportAbsent)
    ((member, path),) = report.absent
    assert member == SILENT
    assert list(path) == (cm.path(reading.leaves or (), SILENT) if batched else [])
    yard.apply(report)
    assert yard.members[2].absences(0, reading) == []
    yard.judge(0)
    assert yard.session.closed[0].winners == (1, 2)
    assert [result.winners for result in audit(yard.session, yard.store, recover).results] == [
        (1, 2)
    ]


@pytest.mark.parametrize("batched", [True, False], ids=["batch", "single"])
def test_who_posted_itself_is_not_reported(batched: bool) -> None:
    """Nor is anybody where nobody was shown the leaves of the batch."""
    yard = without(SILENT, batched)
    yard.members[SILENT].upload(0, made_updates(0)[SILENT], yard.model)
    for action in yard.objections(SILENT):
        yard.apply(action)
    assert yard.members[1].absences(0, yard.reading()) == []
    if batched:
        hidden = without(SILENT, batched)
        hidden.store.network.clear()
        hidden.store.pinned.clear()
        assert hidden.members[1].absences(0, hidden.reading()) == []


def test_without_a_batch_all_are_absent() -> None:
    """Who posted nothing itself, and a path there is none."""
    yard = Yard.new()
    (report,) = yard.members[1].absences(0, yard.reading())
    assert isinstance(report, do.ReportAbsent)
    assert report.absent == tuple((i, ()) for i in range(4))
