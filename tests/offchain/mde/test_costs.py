"""What buyer and seller are told before they sign: gas from above, and every loss there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from offchain.crypto.settlement import NATIVE, Settlement
from offchain.mde.costs import buyer_gas, buyer_outcomes, seller_gas, seller_outcomes
from offchain.mde.quoting import OrderTerms

MEASURED = json.loads((Path(__file__).parents[2] / "gas" / "dataset_sale.json").read_text())


@pytest.mark.parametrize("settlement", Settlement)
def test_what_is_told_bounds_what_is_measured_by_little(settlement):
    kind = settlement.name.lower()
    for call, told in (buyer_gas() | seller_gas(settlement)).items():
        measured = MEASURED[f"{kind}: {call}"]
        assert measured <= told <= 1.1 * measured, call


def test_a_buyer_loses_its_budget_at_most_and_a_seller_its_stake():
    terms = OrderTerms(NATIVE, 7, Settlement.OPEN, 600, 600)
    for outcomes, best, worst in (
        (buyer_outcomes(terms, budget=100, most=40), 7, -100),
        (seller_outcomes(stake=7, budget=100), 100, -7),
    ):
        gains = [one.gain for one in outcomes]
        assert gains == sorted(gains, reverse=True)
        assert (gains[0], gains[-1]) == (best, worst)
