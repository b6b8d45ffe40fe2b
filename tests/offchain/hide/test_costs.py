"""What buyer and seller are told before they sign: gas from above, and every loss there is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from offchain.crypto.disputable import Shape
from offchain.crypto.settlement import NATIVE, Settlement
from offchain.hide.sale.costs import buyer_gas, buyer_outcomes, seller_gas, seller_outcomes
from offchain.hide.sale.listings import Level, Listing
from offchain.report.outcomes import Outcome

MEASURED = json.loads((Path(__file__).parents[2] / "gas" / "sale.json").read_text())
LARGE = Shape(64 << 20, 1_024)
LEVELS = tuple(Level(1_000 * n, 100 * n, bytes(32), bytes(32)) for n in range(1, 9))
SEALED = Listing("0x" + "5e" * 20, NATIVE, 70, Settlement.SEALED, 600, 600, bytes(32), LEVELS)
AS_MEASURED = {
    "refund": "refund, overdue",
    "proveSpoiltChunk": "spoilt chunk: 64 MiB in chunks of 1,024",
}


def measured(call: str, settlement: Settlement) -> int:
    name = AS_MEASURED.get(call, call)
    return MEASURED.get(name) or MEASURED[f"{settlement.name.lower()}: {name}"]


@pytest.mark.parametrize("settlement", Settlement)
def test_what_is_told_bounds_what_is_measured_by_little(settlement):
    told = seller_gas(len(LEVELS), settlement) | buyer_gas(LARGE)
    for call, gas in told.items():
        assert measured(call, settlement) <= gas <= 1.2 * measured(call, settlement), call


def test_no_proof_is_dearer_than_what_is_told():
    """A key's costs less than that of the smallest chunk; a large chunk is told to be dear."""
    small, usual, large = (
        buyer_gas(shape)["proveSpoiltChunk"]
        for shape in (Shape(32, 32), Shape(1 << 20, 1_024), Shape(1 << 20, 16_384))
    )
    assert MEASURED["sealed: proveWrongKey"] < small
    assert large - usual > 400_000


def gains(found: list[Outcome]) -> list[int]:
    return [one.gain for one in found]


def test_the_worst_is_told_last():
    """A buyer loses what it pays at most, a seller one stake by a sale."""
    found = gains(buyer_outcomes(SEALED, 300))
    assert found == sorted(found, reverse=True)
    assert (found[0], found[-1]) == (SEALED.stake, -300)
    found = gains(seller_outcomes([one.price for one in LEVELS], SEALED.stake))
    assert found == sorted(found, reverse=True)
    assert (found[0], found[-1]) == (800, -SEALED.stake)
