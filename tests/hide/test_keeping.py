"""A keeper settles what buyers and a seller that are away leave behind, once, and nothing else."""

from __future__ import annotations

import json

import pytest

from offchain.hide.sale.listings import SaleState
from scripts._hide import keeping
from scripts._stage.deployments import Deployed
from scripts._stage.keeping import keep
from scripts._stage.market import Open
from scripts._stage.party import PartyTelling


@pytest.fixture
def kept(shop, contract, monkeypatch, tmp_path, stranger, capsys):
    """Lets a stranger keep this listing now; what it told."""
    one = Open("hide", f"0x{shop.id.hex()}", 0, "", b"", 0, 0, "", None, 0)
    monkeypatch.setattr(keeping, "listed", lambda deployments: [one])
    monkeypatch.setattr(keeping, "find", lambda name, path: Deployed(contract, 0))

    def keep_once() -> list[dict]:
        capsys.readouterr()
        keep([lambda: keeping.duties(tmp_path)], stranger, PartyTelling(as_json=True), once=True)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return keep_once


def test_sales_whose_time_is_over_are_settled_once(shop, kept, buyer, other):
    """One key came, one did not: the price is the seller's, or to be taken back."""
    assert kept() == []
    shop.buy(buyer)
    shop.deliver(buyer)
    shop.buy(other)
    assert kept() == []
    shop.lapse(buyer)
    shop.lapse(other)
    (told,) = kept()
    assert (told["event"], told["about"]) == ("kept", f"0x{shop.id.hex()}")
    assert told["done"] == "settled 2 sales whose windows are over"
    assert (shop.state(buyer), shop.state(other)) == (SaleState.OWNED, SaleState.LAPSED)
    assert kept() == []
