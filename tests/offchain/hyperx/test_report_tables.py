"""The tables show the session's figures, their sums add up, and names cannot act."""

import io
import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from offchain.hyperx.report import sheets
from offchain.report import text
from offchain.report.tables import render
from tests.offchain.hyperx.report_sample import (
    CALLS,
    COIN,
    NOTHING,
    SAMPLINGS,
    SCORES,
    make_record,
    rename,
)

ALL = [
    sheets.providers_sheet,
    sheets.scores_sheet,
    sheets.gas_by_party_sheet,
    sheets.gas_by_call_sheet,
]


def shown(renderable: object, width: int = 100) -> str:
    out = io.StringIO()
    Console(file=out, width=width, force_terminal=True, color_system="truecolor").print(renderable)
    return out.getvalue()


def bare(rendered: str) -> str:
    """Without the colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", rendered)


def column(sheet: sheets.Sheet, header: str) -> tuple[list[Decimal], Decimal]:
    """The numbers of one column, and the total below."""
    i = sheet.headers.index(header)
    numbers = [Decimal(row.cells[i].replace(",", "")) for row in sheet.rows]
    return numbers, Decimal(sheet.total[i].replace(",", ""))


@pytest.mark.parametrize(
    ("make", "headers"),
    [
        (sheets.providers_sheet, ["Deposit (ETH)", "Payout (ETH)"]),
        (sheets.gas_by_party_sheet, ["Transactions", "Gas", "Ether at 20 gwei"]),
    ],
)
def test_every_total_is_the_sum_of_the_numbers_above_it(make, headers):
    sheet = make(make_record())
    for header in headers:
        numbers, total = column(sheet, header)
        assert sum(numbers) == total, header


def test_gas_by_party_is_what_each_paid_priced_at_the_records_price():
    sheet = sheets.gas_by_party_sheet(make_record(gas_price_gwei=2.5))
    found = {row.cells[0]: row.cells[1:] for row in sheet.rows}
    assert found["ben"] == ("3", "146,000", "0.000365")
    assert found["collector"] == ("6", "400,000", "0.001000")
    everything = sum(sum(calls.values()) for calls in CALLS.values()) + sum(SAMPLINGS)
    assert sheet.total[2] == f"{everything:,}"


def test_the_providers_are_ranked_with_their_true_corruption_and_the_winner_stands_out():
    sheet = sheets.providers_sheet(make_record())
    assert [row.cells[0] for row in sheet.rows] == ["ada", "cyd", "ben", "dan"]
    assert [row.cells[1] for row in sheet.rows] == [
        SCORES[name][0] for name in ("ada", "cyd", "ben", "dan")
    ]
    assert [row.strong for row in sheet.rows] == [True, False, False, False]
    assert sheet.rows[0].cells[3:] == ("93.0 %", "90.0-95.0 %", "0.25", "1.25")
    assert sheet.rows[3].cells[2:] == (
        "silent: lost 50 % of its deposit",
        *("-", "-", "0.25", "0.125"),
    )


def test_gas_by_call_is_the_mean_beside_the_papers_and_unknown_calls_are_shown_too():
    record = make_record()
    extra = replace(record.gas[-1], call="drawSample", gas=5)
    sheet = sheets.gas_by_call_sheet(replace(record, gas=(*record.gas, extra)))
    found = {row.cells[0]: row.cells[1:] for row in sheet.rows}
    assert found["register"] == ("4", "76,250", "2,329,764", "30.6")
    assert found["sampleData"] == ("3", "41,000", "276,177", "6.7")
    assert found["drawSample"] == ("1", "5", "-", "-")
    assert found["winner in all"] == ("1", "400,001", "11,463,038", "28.7")
    assert found["loser in all"] == ("2", "147,501", "2,457,469", "16.7")
    assert found["collector, one provider"] == ("1", "318,000", "602,039", "1.9")


def test_the_efficacy_price_stands_beside_the_score_where_there_is_a_second_opinion():
    without = sheets.scores_sheet(make_record())
    assert not any("Efficacy" in header for header in without.headers)
    record = make_record(efficacy={"ada": 123 * COIN // 10_000_000, "ben": 0})
    sheet = sheets.scores_sheet(record)
    assert sheet.headers[-1] == "Efficacy price (ETH)"
    assert {row.cells[0]: row.cells[-1] for row in sheet.rows} == {
        "ada": "0.000012",
        "ben": "0",
        "cyd": "-",
        "dan": "-",
    }
    assert "second opinion" in sheet.note
    with pytest.raises(ValueError, match=r"'eve'.*none of the providers"):
        make_record(efficacy={"eve": 1})


def test_a_life_that_did_not_happen_has_no_total():
    sheet = sheets.gas_by_call_sheet(make_record(**NOTHING))
    assert {row.cells[2] for row in sheet.rows} == {"-"}


def test_other_terms_than_the_papers_are_said_beside_the_ratio():
    assert "with that in mind" not in sheets.gas_by_call_sheet(make_record()).note
    note = sheets.gas_by_call_sheet(make_record(shard_count=7)).note
    assert "7 shards" in note
    assert "with that in mind" in note


@pytest.mark.parametrize("sheet", ALL)
@pytest.mark.parametrize("width", [80, 120])
def test_no_number_is_cut_or_broken_in_a_usual_terminal(sheet, width):
    rendered = bare(shown(render(sheet(make_record())), width))
    assert "…" not in rendered
    assert max(map(len, rendered.splitlines())) <= width
    for cell in ("93.0 %", "90.0-95.0 %") if sheet is sheets.providers_sheet else ():
        assert cell in rendered


@pytest.mark.parametrize("sheet", ALL)
def test_an_empty_session_has_tables_too(sheet):
    assert shown(render(sheet(make_record(**NOTHING))))


@pytest.mark.parametrize("sheet", ALL)
def test_a_hostile_name_is_shown_and_does_nothing(sheet):
    name = "[red]x[/]\x1b[2J\n\u202eevil\x07"
    record = rename(make_record(events=()), "ada", name)
    ours = shown(render(sheet(make_record())))
    rendered = shown(render(sheet(record)), 200)
    codes = set(re.findall(r"\x1b\[[0-9;]*[A-Za-z]", rendered))
    assert codes <= set(re.findall(r"\x1b\[[0-9;]*[A-Za-z]", ours))
    assert not set("\u202e\x07") & set(rendered)
    if sheet is not sheets.gas_by_call_sheet:
        assert r"[red]x[/]\x1b[2J\n\u202eevil\x07" in bare(rendered)


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=200), st.integers(4, 90))
def test_any_text_becomes_one_printable_line_of_bounded_length(value, limit):
    line = text.plain(value, limit)
    assert line.isprintable()
    assert len(line) <= limit
    if value.isprintable() and len(value) <= limit:
        assert line == value


@settings(derandomize=True, deadline=None)
@given(st.integers(-(10**40), 10**40), st.integers(0, 36))
def test_amounts_are_exact(units, decimals):
    shown_as = text.amount(units, decimals)
    whole, _, fraction = shown_as.replace(",", "").partition(".")
    assert int(whole + fraction.ljust(decimals, "0")) == units
    assert not fraction.endswith("0")
