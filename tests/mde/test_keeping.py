"""A keeper settles deals that both parties left behind, once, and nothing else."""

from __future__ import annotations

import json

import pytest

from offchain.mde.deals import DealState
from scripts._mde import keeping
from scripts._stage.deployments import Deployed
from scripts._stage.keeping import keep
from scripts._stage.party import PartyTelling


@pytest.fixture
def kept(sale, contract, monkeypatch, tmp_path, stranger, capsys):
    """Lets a stranger keep all deals now; what it told."""
    monkeypatch.setattr(keeping, "find", lambda name, path: Deployed(contract, 0))

    def keep_once() -> list[dict]:
        capsys.readouterr()
        keep([lambda: keeping.duties(tmp_path)], stranger, PartyTelling(as_json=True), once=True)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return keep_once


@pytest.mark.parametrize(
    ("delivered", "end"), [(True, DealState.SETTLED), (False, DealState.LAPSED)]
)
def test_a_deal_whose_time_is_over_is_settled_once(sale, kept, delivered, end):
    assert kept() == []
    sale.quote()
    assert kept() == []
    sale.buy()
    if delivered:
        sale.deliver()
    assert kept() == []
    sale.lapse()
    (told,) = kept()
    assert (told["event"], told["about"]) == (
        "kept",
        f"0x{sale.order.account.id(sale.place).hex()}",
    )
    assert sale.state == end
    assert kept() == []
