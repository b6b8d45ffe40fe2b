"""What an author is told before and after: gas and losses from above, and what it paid and got."""

from __future__ import annotations

import pytest

from offchain.crypto.settlement import NATIVE
from offchain.sum import events as ev
from offchain.sum.author import Limits
from offchain.sum.model import ModelTerms, Price, Waits
from scripts._sum.teaching import lesson_gas, paid_and_back
from scripts._sum.terms_sheets import worst
from tests.sum.stories.made_texts import MAPPING, TRUE, teach_options, write_csv
from tests.sum.stories.rehearsal import Rehearsal

ANNA, BERT = "0xA", "0xB"
WAITS = Waits(refund=1_000, author=2_000, verdict=1_200, owner=6_000, anyone=7_000, quiet=60)
TERMS = ModelTerms(BERT, bytes(32), NATIVE, 1, WAITS, Price(1, 100, 30, 70))


def test_what_was_paid_too_much_counts_when_paid_and_when_it_comes_back():
    """Else who paid 100 too much would seem to have gained it."""
    key = bytes(32)
    told = [
        ev.DataAdded(ANNA, key, (1,), 1, 5, 500, 30),
        ev.Credited(ANNA, 100),
        ev.DataAdded(BERT, key, (2,), 1, 6, 700, 30),
        ev.Credited(BERT, 9),
        ev.Announced(ANNA, key, True),
        ev.Refunded(ANNA, key, 500),
        ev.Refunded(BERT, key, 1),
        ev.Reported(ANNA, key, 40),
        ev.Reported(BERT, key, 2),
        ev.TakenOver(ANNA, key, 6),
        ev.TakenOver(BERT, key, 3),
        ev.PredictionPaid(ANNA, 1, 11),
        ev.RewardsClaimed(ANNA, 107),
        ev.RewardsClaimed(BERT, 4),
    ]
    assert paid_and_back(told, ANNA) == (630, 653)
    assert paid_and_back(told, BERT) == (739, 10)


@pytest.mark.parametrize(
    ("limits", "gains"),
    [
        (Limits(), [-210, -18_210, -18_210]),
        (Limits(deposit=300), [-210, -1_110, -1_110]),
        (Limits(cost=30), [-90, -18_090, -18_090]),
        (Limits(stake=700), [-210, -700, -700]),
    ],
)
def test_the_worst_is_what_the_limits_let_be_lost(limits, gains):
    """Of three lessons: deposits are 6,000 a second after a lesson, costs 70 where it differs."""
    told = worst(TERMS, 3, limits)
    assert [one.gain for one in told] == gains
    assert "for 20 minutes in which you do not answer" in told[1].by


def test_gas_of_lessons_is_foretold_from_above(project, tmp_path, accounts):
    """Of each call about them, however many words a text has."""
    rehearsal = Rehearsal(tmp_path, accounts[1])
    path = write_csv(tmp_path / "anna.csv", TRUE)
    options = teach_options(tmp_path, path, class_name=MAPPING)
    seat = rehearsal.seat("anna", accounts[2], options)
    lessons = seat.make(rehearsal.model.read()).lessons
    rehearsal.play(seat)
    for call in ("addData", "announce", "refund"):
        spent = [one.gas for one in rehearsal.model.receipts if one.call == call]
        assert len(spent) == len(lessons)
        assert all(gas <= most for gas, most in zip(spent, map(lesson_gas, lessons), strict=True))
