"""Claims are called what the runs say of them, and never is neither a number nor left out."""

import math
from dataclasses import replace

import numpy as np
import pytest

from offchain.sum.study.names import SWEEPS
from offchain.sum.study.paper import CLAIMS
from offchain.sum.study.plots import figures
from offchain.sum.study.report import judge, report
from offchain.sum.study.results import METRICS
from offchain.sum.study.statistics import (
    mean_interval,
    median_interval,
    rank_correlations,
    spread_ratio,
)
from offchain.sum.study.sweeps import paper_sweeps
from offchain.sum.study.text import days
from offchain.sum.study.verdicts import (
    CONFIRMED,
    CONTRADICTED,
    NOT_SEEN,
    Direction,
    Lowest,
    NoEffect,
    Published,
    Unstable,
    Within,
)
from tests.offchain.sum.made_study import ONE, MadeSource, made_study

X = np.array([1.0, 2, 4, 8])
NOISE = np.random.default_rng(0).normal(0, 0.001, (10, 4))
NEVER = np.full((10, 4), math.inf)
RISING = NOISE + 0.7 + 0.02 * np.arange(4)
FLAT = NOISE + 0.7
LATER = np.array([[5.0, 7, 9, math.inf]] * 10)
WILD = FLAT + np.random.default_rng(1).normal(0, [0.05, 0.0001, 0.0001, 0.0001], (10, 4))


@pytest.mark.parametrize(
    ("test", "values", "word"),
    [
        (Direction(1), RISING, CONFIRMED),
        (Direction(-1), RISING, CONTRADICTED),
        (Direction(1), FLAT, NOT_SEEN),
        (Direction(1), LATER, CONFIRMED),
        (Direction(-1), LATER, CONTRADICTED),
        (Direction(1), NEVER, NOT_SEEN),
        (Direction(-1), NEVER, NOT_SEEN),
        (NoEffect(), FLAT, CONFIRMED),
        (NoEffect(), RISING, CONTRADICTED),
        (NoEffect(0.06), RISING, NOT_SEEN),
        (Within(0.6, 0.8), RISING, CONFIRMED),
        (Within(0.6, 0.71), RISING, CONTRADICTED),
        (Within(0.6, 0.71, (1,)), RISING, CONFIRMED),
        (Within(-math.inf, 6, (1,)), LATER, CONFIRMED),
        (Within(-math.inf, 6, (8,)), LATER, CONTRADICTED),
        (NoEffect(upto=1), RISING, CONFIRMED),
        (Published(0.72, 0, 2), RISING, CONFIRMED),
        (Published(0.73, 0, 2), RISING, CONTRADICTED),
        (Published(0.73, 0.01, 2), RISING, CONFIRMED),
        (Lowest(1), RISING, CONFIRMED),
        (Lowest(2), RISING, CONTRADICTED),
        (Lowest(1), NEVER, NOT_SEEN),
        (Lowest(1), LATER, CONFIRMED),
        (Unstable((1,)), WILD, CONFIRMED),
        (Unstable((2, 4, 8)), WILD, CONTRADICTED),
    ],
)
def test_a_verdict_follows_from_where_the_interval_lies(test, values, word):
    assert test.judge(X, values).word == word


def test_the_intervals_are_those_of_the_textbooks():
    one = mean_interval(np.array([1.0, 2, 3, 4]))
    # 3.182 is Student's t for three degrees of freedom.
    assert one.at == 2.5
    assert one.high - one.at == pytest.approx(3.182 * math.sqrt(5 / 3) / 2, rel=1e-3)
    ten = median_interval(np.arange(1.0, 11))
    assert (ten.at, ten.low, ten.high) == (5.5, 2, 9)  # 97.9 %, as tables have it
    assert rank_correlations(X, np.array([[1.0, 3, 2, 4], [5, 5, 5, 5]])).tolist() == [
        pytest.approx(0.8),
        0,
    ]
    assert spread_ratio(2 * NOISE, NOISE).at == pytest.approx(2)


def test_never_is_later_than_any_day_and_is_counted():
    some = np.array([30.0, 10, math.inf, 20, math.inf, 40, 50, 60, 70, 80])
    assert days(some) == "55.0 [20.0, never], 8 of 10"
    most = np.array([10.0] + 9 * [math.inf])
    assert days(most) == "never [never, never], 1 of 10"
    assert days(np.full(10, math.inf)) == "never"
    assert median_interval(np.array([1.0, math.inf])).at == math.inf


def test_every_claim_speaks_of_what_there_is():
    values = {sweep.name: sweep.values for sweep in paper_sweeps()}
    for claim in CLAIMS:
        assert claim.sweep in SWEEPS
        assert claim.metric in METRICS
        at = getattr(claim.test, "at", None)
        points = at if isinstance(at, tuple) else () if at is None else (at,)
        assert set(points) <= set(values[claim.sweep]), claim.says


def test_a_contradicted_claim_is_reported_as_such(tmp_path):
    study = made_study(tmp_path, "train_size", seeds=4)
    findings = study.run(ONE)
    (sweep,) = findings.sweeps
    claim = next(c for c in CLAIMS if c.sweep == "train_size" and c.metric == "before")
    assert judge(claim, sweep, study.results).word == CONFIRMED
    denied = replace(claim, test=Direction(-1))
    assert judge(denied, sweep, study.results).word == CONTRADICTED
    row = next(line for line in report(findings, "here").splitlines() if "Fig. 10" in line)
    assert row.endswith("| confirmed |")
    assert [name for name, _ in figures(findings)] == ["fig09", "fig10"]


def test_what_never_happens_is_not_seen(tmp_path):
    """In a stream so short nobody is broke, whatever the deposit."""
    findings = made_study(tmp_path, "mean_deposit-long", source=MadeSource(held_out=1_000)).run(ONE)
    lines = report(findings, "here").splitlines()
    row = next(line for line in lines if "Fig. 13" in line)
    assert row.endswith("| never, in any run | in 0 runs, then 0 | not seen |")
    assert [name for name, _ in figures(findings)] == ["fig13"]
