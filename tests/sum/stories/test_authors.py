"""Authors of a shared model, each at a seat of one table: what comes of truth, lies and attacks."""

from __future__ import annotations

import pytest

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
