"""A record survives its file exactly, and a file that is none is refused in one line."""

import json
from dataclasses import replace

import numpy as np
import pytest

from offchain.hyperx.report import published
from offchain.hyperx.report import record as module
from offchain.hyperx.report.record import RecordError, SessionRecord
from offchain.report.money import Money
from tests.offchain.hyperx.report_sample import COIN, NOTHING, make_record, rename

HOSTILE = "<script>alert(1)</script>\n\x1b[2J\u202e{{ 7 * 7 }}\"'\\ \ud7ff\U0001f600"


@pytest.mark.parametrize(
    "record",
    [
        make_record(),
        make_record(**NOTHING),
        rename(make_record(), "ada", HOSTILE),
        make_record(reward=10**30 + 1, token="0x" + "e" * 40, currency="TOK", decimals=6),
        make_record(gas_price_gwei=np.float64(1 / 3)),
    ],
    ids=["whole", "empty", "hostile", "huge", "float"],
)
def test_a_record_survives_its_json_exactly(record):
    assert SessionRecord.from_json(record.to_json()) == record
    assert SessionRecord.from_json(record.to_json().encode()) == record


def test_json_begins_with_the_schema_and_holds_amounts_as_integers():
    document = json.loads(make_record().to_json())
    assert next(iter(document)) == "schema"
    assert document["schema"] == module.SCHEMA
    assert document["record"]["reward"] == COIN
    assert type(document["record"]["providers"][0]["payout"]) is int


def changed(**changes: object) -> str:
    document = json.loads(make_record().to_json())
    document["record"] |= changes
    return json.dumps(document)


GOOD = json.loads(make_record().to_json())
FIRST = GOOD["record"]["providers"][0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Invalid JSON"),
        ("[]", "no session record"),
        (json.dumps(GOOD | {"schema": 1}), "schema 1 is not the 4 that this version reads"),
        (json.dumps({"record": GOOD["record"]}), "schema.*required"),
        (changed(story=3), "record.story.*string"),
        (changed(seed="7"), "record.seed.*integer"),
        (changed(seed=7.5), "record.seed.*integer"),
        (changed(reward=-1), "record.reward.*greater than or equal to 0"),
        (changed(sample_bps=10_001), "record.sample_bps.*10000"),
        (changed(gas_price_gwei=float("nan")), "record.gas_price_gwei"),
        (changed(surprise=HOSTILE), "record.surprise"),
        (changed(**{HOSTILE: 1}), "no session record"),
        (changed(providers=[FIRST | {"score": 1.5}]), r"providers\.0\.score.*less than or equal"),
        (changed(providers=[FIRST | {"high": 0.5}]), "low <= score <= high"),
        (changed(providers=[FIRST | {"low": None}]), "low <= score <= high"),
        (changed(providers=[FIRST, FIRST]), "must be distinct"),
        (changed(winner=HOSTILE), "none of the providers"),
        (changed(baselines={"Train-Whole": {"eve": 0.5}}), "'eve'.*none of the providers"),
        (changed(gas=[]), "'ada' paid 400001 gas, its transactions say 0"),
        (changed(started="yesterday"), "yesterday"),
        (changed(started="2026-01-02T03:04:05"), "need a time zone"),
        (changed(finished="2026-01-01T00:00:00+00:00"), "is before started"),
        ('{"schema": 1, "record": ' + "[" * 100_000, "no session record"),
    ],
    ids=lambda value: value[:24],
)
def test_what_is_no_record_is_refused_with_one_printable_line_that_names_the_field(text, message):
    with pytest.raises(RecordError, match=message) as error:
        SessionRecord.from_json(text)
    assert str(error.value).isprintable()


def test_too_long_a_text_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.setattr(module, "MAX_RECORD_BYTES", 1000)
    with pytest.raises(RecordError, match="at most 1000 bytes, not 1001"):
        SessionRecord.from_json(" " * 1001)


def test_a_record_is_checked_when_it_is_made_too():
    with pytest.raises(ValueError, match="none of the providers"):
        make_record(winner="eve")
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        Money("ada", -1, 0, 0, 0)


def test_the_dataset_matches_only_when_what_was_received_is_the_winners():
    record = make_record()
    assert record.dataset_matches is True
    assert record.winning.corruption == "clean"
    assert replace(record, digest_received="e" * 64).dataset_matches is False
    assert replace(record, digest_received=None).dataset_matches is None
    assert make_record(**NOTHING).winning is None


def test_the_papers_rows_add_up_to_the_totals_it_states():
    provider = [row for row in published.TABLE_1 if row.role == "provider"]
    regular = sum(row.gas for row in provider if not row.optimal_only)
    collector = sum(row.gas for row in published.TABLE_1 if row.role == "collector")
    assert regular == published.LOSING_PROVIDER_TOTAL == 2_457_469
    assert sum(row.gas for row in provider) == published.WINNING_PROVIDER_TOTAL == 11_463_038
    assert collector == published.COLLECTOR_TOTAL == 602_039
