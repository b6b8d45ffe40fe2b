"""The fast simulation keeps the money together and equals the plain one, event for event."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.sum_scanning import simulate_by_scanning
from offchain.sum.agents import BAD, GOOD, STRATEGIES, Agent
from offchain.sum.learner import Learner, train
from offchain.sum.metrics import accuracy_all, days_until_broke, outcome
from offchain.sum.perceptron import WEIGHT_LIMIT, SparsePerceptron
from offchain.sum.result import History
from offchain.sum.reviews import split
from offchain.sum.rules import DAY, StakeTerms, Verdict
from offchain.sum.setting import COIN, Setting
from offchain.sum.simulation import Simulation, simulate
from tests.offchain.sum.made_reviews import make_reviews

HASTY = replace(GOOD, mean_update_wait_s=3_000)
PARTS = split(make_reviews(), 0, train_size=0.1, test=100)


def setting(*agents, cost=0, accuracy=None, verdict=None, **given):
    return Setting(
        agents=agents or (HASTY, replace(BAD, mean_update_wait_s=6_000)),
        terms=StakeTerms(
            unit=COIN, submission_cost=cost, stated_accuracy=accuracy, verdict=verdict
        ),
        **given,
    )


SETTINGS = {
    "paper": setting(),
    "cost": setting(cost=5 * COIN),
    # Small weights turn often, and reach their limit.
    "bytes": setting(largest_weight=5, weight_limit=6),
    "crowd": setting(
        HASTY,
        replace(HASTY, name="other", prob_mistake=0.2),
        replace(BAD, mean_update_wait_s=5_000),
        Agent("noise", strategy="random", mean_update_wait_s=4_000),
        Agent("poor", start_balance=3, mean_update_wait_s=4_000),
        cost=COIN // 3,
    ),
    "whole coins": Setting(setting().agents, StakeTerms(), coin=1),
    "cut short": setting(max_days=3),
    "all strategies": setting(
        HASTY,
        *(Agent(name, strategy=name, mean_update_wait_s=9_000) for name in STRATEGIES),
        cost=COIN,
    ),
    # The copycat comes several times in a row, and must not copy itself.
    "copycat": setting(
        replace(GOOD, mean_update_wait_s=20_000),
        Agent("copycat", strategy="copycat", mean_update_wait_s=7_000),
    ),
    "announced": setting(cost=COIN, verdict=Verdict()),
    # One lesson turns what it touches, so that verdicts fall and are announced again.
    "attacks": setting(
        HASTY,
        replace(HASTY, name="trusting", strategy="trusting"),
        *(
            Agent(name, strategy=name, mean_update_wait_s=2_000)
            for name in ("flipper", "launderer", "parrot")
        ),
        Agent("staller", strategy="staller", mean_update_wait_s=110, stdev_update_wait_s=0),
        # Comes so rarely that others take what is its.
        replace(GOOD, name="rare", mean_update_wait_s=12 * DAY, stdev_update_wait_s=DAY),
        cost=COIN,
        largest_weight=5,
        verdict=Verdict(author_s=8_000, wait_s=7_000, quiet_s=120),
    ),
    "information": setting(cost=5 * COIN, accuracy=7_700),
    # Some come to the second when the nine days end, and others find claims long overdue.
    "rare": setting(
        replace(GOOD, mean_update_wait_s=9 * DAY, stdev_update_wait_s=0),
        replace(BAD, mean_update_wait_s=20 * DAY),
        cost=COIN,
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("seed", [0, 1])
def test_the_fast_simulation_equals_the_plain_one_event_for_event(name, seed):
    events = simulate(PARTS, SETTINGS[name], seed, log=True).events
    assert len(events) > 100
    assert list(events) == simulate_by_scanning(PARTS, SETTINGS[name], seed)


@pytest.mark.parametrize("name", SETTINGS)
def test_no_money_appears_or_vanishes_and_no_balance_is_negative(name):
    run = Simulation(PARTS, SETTINGS[name], 0)
    total = sum(run.balances)
    while not run.done:
        run.step()
        assert sum(run.balances) + sum(run.left) + run.pot.held == total
        assert min(*run.balances, *run.left, run.pot.held) >= 0
    assert name in ("cut short", "rare") or sum(run.left) == 0


def test_the_same_seed_gives_the_same_run_and_another_seed_another():
    one, same, other = (simulate(PARTS, setting(), seed, log=True) for seed in (3, 3, 4))
    assert one.events == same.events
    assert one.accuracies == same.accuracies
    assert (one.final == same.final).all()
    assert one.events != other.events


def test_honest_agents_get_back_what_the_model_agrees_with():
    reviews = make_reviews(count=500)
    parts = split(reviews, 0, train_size=0.3, test=100)
    careful = replace(GOOD, prob_mistake=0)
    run = simulate(parts, setting(careful, replace(careful, name="second")), 0, log=True)
    refunds = {event.contribution for event in run.events if event.kind == "refund"}
    model = Learner(run.final, train(parts.initial, 0).intercept)
    for number, what in enumerate(run.contributions):
        if model.predict(parts.stream.active(what.review)) == what.label:
            # Reported before the model came to agree, at most: then less is refunded, or nothing.
            touched = {e.kind for e in run.events if e.contribution == number} - {"add"}
            assert number in refunds or "report" in touched
    assert len(refunds) > 0.8 * len(run.contributions)
    assert [t.refunded for t in run.tallies] == [
        sum(e.kind == "refund" and e.agent == i for e in run.events) for i in range(2)
    ]


def test_an_agent_that_lies_loses_to_one_that_does_not():
    parts = split(make_reviews(2_000, num_words=90), 0, train_size=0.1, test=200)
    liar = Agent("liar", strategy="flipped", start_balance=100, mean_update_wait_s=600)
    run = simulate(parts, setting(GOOD, liar), 0)
    good, bad = outcome(run).balances
    assert good > 1 > bad
    assert outcome(run).accuracy_after > 0.75


def test_costs_bleed_the_liar_and_reach_those_with_good_data():
    free, dear = (outcome(simulate(PARTS, setting(cost=c * COIN), 0)) for c in (0, 20))
    assert dear.balances[1] < free.balances[1]
    assert dear.balances[0] > free.balances[0]


def test_a_cost_by_information_takes_more_from_the_liar_than_the_same_for_all():
    same, bits = (
        outcome(simulate(PARTS, setting(cost=20 * COIN, accuracy=accuracy), 0))
        for accuracy in (None, 7_700)
    )
    assert bits.balances[1] < same.balances[1]
    assert bits.balances[0] > same.balances[0]


@pytest.mark.parametrize("limit", [WEIGHT_LIMIT, 5])
def test_the_learner_equals_the_contracts_perceptron(limit):
    reviews = make_reviews(400, num_words=70)
    rng = np.random.default_rng(0)
    start = (rng.integers(limit - 4, limit + 1, 70) * rng.choice([-1, 1], 70)).astype(np.int32)
    fast, twin = Learner(start, 3, limit), SparsePerceptron(70, 70)
    # The twin knows no other limit than its own: beyond a lower one it is cut back.
    twin.weights[:] = start
    twin.intercept = 3
    met = False
    for i, sample in enumerate(reviews.dense()):
        active, label = reviews.active(i), int(i % 3 == 0)
        predicted = fast.predict(active)
        met |= predicted != label and fast.teach(active, label)
        assert twin.learn(sample, label) == predicted
        if limit != WEIGHT_LIMIT:
            np.clip(twin.weights, -limit, limit, out=twin.weights)
        assert (twin.weights == fast.weights).all()
    assert met


def test_the_first_model_is_scaled_to_the_largest_weight_asked_for():
    for largest in (127, 1_000):
        assert abs(train(PARTS.initial, 0, largest=largest).weights).max() == largest
    with pytest.raises(ValueError, match=r"1\.\.127, not 128"):
        train(PARTS.initial, 0, largest=128, limit=127)
    with pytest.raises(ValueError, match="both labels"):
        train(PARTS.initial.subset(np.flatnonzero(PARTS.initial.labels)), 0)


def test_broke_is_the_first_time_below_a_hundredth_of_the_start():
    history = History(np.array([0, DAY, 2 * DAY, 3 * DAY]), np.array([100.0, 1.0, 0.9, 50.0]))
    assert days_until_broke(history) == 2
    assert days_until_broke(History(history.times, np.full(4, 5.0))) is None


def test_the_gap_compares_with_a_model_of_all_good_data():
    run = simulate(PARTS, setting(), 0)
    everything = accuracy_all(PARTS, run.setting, 0)
    assert outcome(run, everything).gap == everything - run.accuracies[-1][1]
    with pytest.raises(ValueError, match="the gap needs"):
        _ = outcome(run).gap


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"strategy": "nice"}, "no strategy is called 'nice'"),
        ({"mean_deposit": 0.5, "stdev_deposit": 0}, "a deposit needs a mean above 0"),
        ({"mean_update_wait_s": -1}, "a wait needs"),
        ({"prob_mistake": 2}, "prob_mistake is a share from 0 to 1, not 2"),
        ({"start_balance": -1}, "0 or more, not -1"),
        ({"holds": 1}, "holds is a share between 0 and 1, not 1"),
    ],
)
def test_an_agent_that_makes_no_sense_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        Agent("someone", **given)


def test_a_setting_that_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="distinct names, not good, good"):
        Setting(agents=(GOOD, GOOD))
    with pytest.raises(ValueError, match="coin must be 1 or more, not 0"):
        Setting(coin=0)
