"""The table of money says who gained what, and whether a coin is missing."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from offchain.report.money import Money, money_sheet

COIN = 10**18
SELLER = Money("seller", 10 * COIN, 11 * COIN - 3, fees=3, gain=COIN, why="sales")
BUYER = Money("buyer", 5 * COIN, 4 * COIN, fees=0, gain=-COIN, why="level 1")


def cells(*rows: Money) -> dict[str, dict[str, str]]:
    """By party and column."""
    sheet = money_sheet(rows, "ETH", 18)
    return {row.cells[0]: dict(zip(sheet.headers, row.cells, strict=True)) for row in sheet.rows}


def test_a_gain_is_exact_and_signed_and_balances_are_rounded():
    found = cells(SELLER, BUYER)
    assert found["seller"]["gain"] == "+1"
    assert found["buyer"]["gain"] == "-1"
    assert found["seller"]["after"] == "11.000000"
    assert found["seller"]["for"] == "sales"
    tiny = Money("c", 0, 1, 0, gain=1)
    assert cells(tiny)["c"]["gain"] == "+0." + "1".rjust(18, "0")


def test_columns_that_nobody_needs_are_left_out():
    plain = Money("c", COIN, COIN, 0, 0)
    assert list(cells(plain)["c"]) == ["party", "before", "after", "gain", "gas (ETH)"]
    owed = Money("d", COIN, 0, 0, 0, claimable=COIN)
    assert cells(plain, owed)["d"]["claimable"] == "1"


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (COIN, "sums to 0: no coin is unaccounted for"),
        (COIN // 2, "sums to -0.5: 0.5 ETH stay in the contract and are nobody's"),
        (2 * COIN, "sums to 1: 1 ETH more came out than went in"),
    ],
)
def test_it_is_said_where_gains_and_losses_are_not_equal(gain, words):
    seller = Money("seller", 0, gain, 0, gain)
    assert words in money_sheet([seller, BUYER], "ETH", 18).note


def test_a_tokens_own_unit_is_used_for_money_and_ether_for_fees():
    sheet = money_sheet([Money("a", 2_500_000, 0, COIN, -2_500_000)], "TOK", 6)
    assert sheet.title == "Money, in TOK"
    assert sheet.rows[0].cells == ("a", "2.500000", "0.000000", "-2.5", "1.000000")


def test_strangers_texts_are_made_plain():
    row = Money("\x1b[2Jevil", 0, 0, 0, 0, why="\u202e")
    sheet = money_sheet([row], "\x07", 18)
    assert all(text.isprintable() for text in (*sheet.rows[0].cells, sheet.title, sheet.note))


def test_what_cannot_be_is_refused():
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Money("a", -1, 0, 0, 0)
