"""What quotes tell either side, and what noise takes back."""

import numpy as np
import pytest

from offchain.mde.errors import MdeError
from offchain.mde.influence import influence
from offchain.mde.leakage import (
    NoisyTotal,
    membership,
    price_extraction,
    reidentified,
)
from offchain.mde.pricing import Piecewise, PriceFunction
from offchain.mde.report import make_report
from offchain.mde.samples import Samples
from tests.offchain.mde.small import drawn, fitted, linear, nothing_found, small_task


@pytest.fixture(scope="module")
def task():
    return small_task()


@pytest.fixture(scope="module")
def oracle(task):
    return influence(linear(fitted(task)), task)


def test_one_quote_tells_a_seller_nothing_and_many_tell_much(oracle):
    def some(seed):
        both = drawn(12, seed)
        wrong = (both.labels + (np.arange(12) < seed % 12)) % 3
        return Samples(both.inputs, wrong)

    function = PriceFunction(Piecewise(((-(10**9), 0), (10**9, 10**6))), 10**6, harmful=-(10**9))
    sets = [some(seed) for seed in range(100, 180)]
    curve = price_extraction(
        lambda s: function.price_of(oracle.report(s)), sets[:60], sets[60:], 3, [1, 60], dims=8
    )
    (one, first), (many, last) = curve
    assert (one, many) == (1, 60)
    assert first == 0
    assert last > 0.4


def test_scores_of_single_samples_give_them_away_and_equal_scores_do_not():
    scores = np.random.default_rng(0).normal(size=50)
    assert reidentified(scores[:20], scores) == 1
    assert reidentified(np.zeros(20), np.zeros(50)) == pytest.approx(1 / 50)
    blurred = np.random.default_rng(1).normal(0, 10, size=20) + scores[:20]
    assert reidentified(blurred, scores) < 0.3


def test_membership_is_plain_to_who_knows_the_rest_and_noise_hides_it():
    scores = np.random.default_rng(0).normal(size=300)
    bare = membership(scores, 50)
    assert bare.informed > 0.95
    assert bare.uninformed < 0.35
    noisy = membership(scores, 50, noise=30.0)
    assert noisy.informed < 0.12


def report(scores, **found):
    findings = nothing_found(len(scores))
    for name, rows in found.items():
        getattr(findings, name)[rows] = True
    return make_report("m", "u", np.stack([scores] * 2, 1), np.ones(2), findings, {})


def test_adding_a_sample_changes_the_clipped_total_by_the_clip_at_most():
    rng = np.random.default_rng(0)
    noisy = NoisyTotal(clip=0.5, noise=2.0)
    for _ in range(50):
        scores = rng.normal(size=9)
        more = noisy.clipped(report(scores)) - noisy.clipped(report(scores[:-1]))
        assert abs(more) <= 0.5 + 1e-12
    twice = np.append(scores, scores[0])
    assert noisy.clipped(report(twice, repeated=[9])) == pytest.approx(
        noisy.clipped(report(scores))
    )
    assert noisy.clipped(report(scores, redundant=slice(None))) == 0


def test_the_noise_is_as_wide_as_it_says_and_costs_what_it_should():
    noisy = NoisyTotal(clip=0.5, noise=2.0)
    one = report(np.array([0.1]))
    drawn_ = [noisy.released(one, np.random.default_rng(s)) for s in range(400)]
    assert np.std(drawn_) == pytest.approx(1.0, rel=0.1)
    assert np.mean(drawn_) == pytest.approx(0.1, abs=0.2)
    assert noisy.epsilon(1, 1e-5) < noisy.epsilon(4, 1e-5)
    # An advantage that is measured stays below the one that is promised.
    assert noisy.advantage() == pytest.approx(0.1974, abs=1e-4)
    scores = np.clip(np.random.default_rng(0).normal(size=300), 0, 0.5)
    assert membership(scores, 20, noise=1.0).informed < noisy.advantage() + 0.05


def test_settings_out_of_bounds_are_refused(oracle):
    for act in (
        lambda: NoisyTotal(0.0, 1.0),
        lambda: NoisyTotal(1.0, float("inf")),
        lambda: membership(np.zeros(5), 5),
        lambda: reidentified(np.zeros(6), np.zeros(5)),
        lambda: price_extraction(lambda s: 1, [drawn(3, 1)], [drawn(3, 1)] * 3, 3, [2]),
    ):
        with pytest.raises(MdeError):
            act()
