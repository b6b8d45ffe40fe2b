"""Authors of a shared model, each at a seat of one table: what comes of truth, lies and attacks."""

from __future__ import annotations

import pytest

from offchain.roles import Action
from scripts._stage.pool import NodeBusy
from scripts._sum import model
from scripts._sum import table as tables
from scripts._sum.table import ModelTable
from tests.sum.stories.made_texts import LIE, MAPPING, TRUE, teach_options, write_csv
from tests.sum.stories.rehearsal import Rehearsal

UNIT = 3 * 10**15


@pytest.fixture
def rehearsal(project, tmp_path, accounts) -> Rehearsal:
    return Rehearsal(tmp_path, accounts[1])


@pytest.fixture
def seats(rehearsal, tmp_path, accounts):
    """Anna teaches the truth and reports; Bert lies."""
    true = write_csv(tmp_path / "anna.csv", TRUE)
    lie = write_csv(tmp_path / "bert.csv", LIE)
    return (
        rehearsal.seat("anna", accounts[2], teach_options(tmp_path, true, class_name=MAPPING)),
        rehearsal.seat("bert", accounts[3], teach_options(tmp_path, lie)),
    )


@pytest.mark.parametrize("forgetful", [False, True], ids=["once", "rebuilt"])
def test_truth_pays_and_a_lie_costs(rehearsal, seats, forgetful) -> None:
    """Anna has her deposits back, Bert's, and the costs of all; who keeps nothing plays alike."""
    gains = rehearsal.play(*seats, forgetful=forgetful)
    # Three costs paid, four shared among three that proved good, one deposit of a liar.
    assert gains == {"anna": 2 * UNIT, "bert": -2 * UNIT}
    state = rehearsal.model.read()
    assert state.good == {seats[0].address: 3}
    assert not any(one.open for one in state.contributions.values())
    assert rehearsal.model.contract.balance == 0


def test_a_lesson_that_may_still_come_is_paid_as_it_was_sent(
    rehearsal, tmp_path, accounts, monkeypatch
) -> None:
    """The deposit falls with time: another payment would be another call, beside the first."""
    sent = []
    monkeypatch.setattr(rehearsal.model, "send", lambda action, _: sent.append(action))

    def table_of(waiting: bool) -> ModelTable:
        monkeypatch.setattr(tables, "waits", lambda _: waiting)
        return ModelTable(rehearsal.model, (), tmp_path)

    def lesson(label: int, payment: int) -> Action:
        return Action("addData", ((1,), label, payment, 30), payment, about=2)

    # Killed, begun again while the first may come, then when it is known not to.
    for waiting, wanted in (
        (False, lesson(1, 700)),
        (True, lesson(1, 600)),
        (False, lesson(1, 500)),
    ):
        table_of(waiting).send(wanted, accounts[2])
    table_of(True).send(lesson(0, 400), accounts[2])
    assert sent == [lesson(1, 700), lesson(1, 700), lesson(1, 500), lesson(0, 400)]


def test_a_block_that_was_taken_back_is_a_busy_node(project):
    """Between the logs and their times: a party asks again then."""
    with pytest.raises(NodeBusy, match="has no block 0x1111"):
        model._time_of("0x" + "11" * 32)
