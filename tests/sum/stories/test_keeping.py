"""A keeper objects, for authors that are away, to what a shared model denies."""

from __future__ import annotations

import json

import ape
import pytest

from scripts._stage.deployments import deployments_path, note_what_is_there
from scripts._stage.keeping import keep
from scripts._stage.party import PartyTelling
from scripts._sum import keeping
from tests.sum.stories.made_texts import write_csv
from tests.sum.stories.rehearsal import Rehearsal

UNIT = 3 * 10**15


@pytest.fixture
def rehearsal(project, tmp_path, accounts) -> Rehearsal:
    """A model that two lessons turn."""
    texts = write_csv(tmp_path / "few.csv", [("lovely", "positive"), ("awful", "negative")])
    made = Rehearsal(tmp_path, accounts[1], texts=texts, epochs=1)
    note_what_is_there(deployments_path(tmp_path / "deployments"))
    return made


@pytest.fixture
def kept(rehearsal, tmp_path, stranger, capsys):
    """Lets a stranger keep all models now; what it told."""

    def keep_once() -> list[dict]:
        capsys.readouterr()
        found = lambda: keeping.duties(tmp_path / "deployments")  # noqa: E731
        keep([found], stranger, PartyTelling(as_json=True), once=True)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return keep_once


def test_what_the_model_denies_is_objected_to_once_and_in_a_quiet_moment(rehearsal, kept, accounts):
    anna, bert = accounts[2], accounts[3]
    model, waits = rehearsal.model, rehearsal.model.terms.waits
    sample = rehearsal.preprocessing.bitmap(rehearsal.preprocessing.features("lovely"))

    def wait(seconds: int) -> None:
        ape.chain.mine(timestamp=ape.chain.blocks.head.timestamp + seconds)

    def teach(account, label: int) -> int:
        """Teaches the sample; when."""
        wait(5)
        paid = 2 * UNIT
        model.contract.addData(sample, label, paid, UNIT, sender=account, value=paid)
        return int(ape.chain.blocks.head.timestamp)

    added = teach(anna, 1)
    wait(waits.refund)
    model.contract.announce(sample, 1, added, anna, sender=anna)
    assert kept() == []
    while model.contract.predict(sample) == 1:
        teach(bert, 0)
    assert kept() == []
    wait(waits.quiet)
    (told,) = kept()
    assert (told["event"], told["about"]) == ("kept", model.address)
    assert told["done"] == f"objected that {anna.address}'s data is good"
    assert list(model.contract.announcement(sample, 1, added, anna))[:2] == [False, False]
    assert kept() == []
