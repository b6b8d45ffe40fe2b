"""What each strategy submits, given what it knows."""

import numpy as np
import pytest

from offchain.sum.agents import MOST_LESSONS, PATIENCE, STRATEGIES, Moment, Submission, Target


def moment(
    *,
    truth=1,
    predicted=0,
    good_data=0,
    total_good=100,
    latest=None,
    accuracy=1.0,
    turned=None,
    own=None,
    others=None,
    poised=False,
) -> Moment:
    return Moment(
        review=7,
        truth=truth,
        classes=2,
        predict=lambda: predicted,
        accuracy=accuracy,
        good_data=good_data,
        total_good=total_good,
        holds=0.5,
        latest=latest,
        turned=lambda: turned,
        soonest=lambda mine: own if mine else others,
        poised=lambda: poised,
        now=0,
        random=np.random.default_rng(0),
    )


@pytest.mark.parametrize(
    ("strategy", "given", "label"),
    [
        ("honest", {"truth": 1}, 1),
        ("honest", {"truth": 0}, 0),
        ("trusting", {"truth": 1, "turned": Submission(2, 0)}, 1),
        ("flipped", {"truth": 1}, 0),
        ("flipped", {"truth": 0}, 1),
        ("targeted", {"truth": 1}, 0),
        ("targeted", {"truth": 0}, 0),
        ("parrot", {"truth": 1, "predicted": 0}, 0),
        ("parrot", {"truth": 0, "predicted": 1}, 1),
        ("sybil", {"truth": 1, "good_data": PATIENCE - 1}, 1),
        ("sybil", {"truth": 1, "good_data": PATIENCE}, 0),
        ("holder", {"truth": 0, "predicted": 1}, 1),
        ("flipper", {"truth": 0, "predicted": 1, "good_data": 49}, 1),
        ("staller", {"truth": 0, "predicted": 1, "good_data": 49}, 1),
        ("launderer", {"truth": 0, "predicted": 1, "good_data": 49}, 1),
        ("launderer", {"truth": 0, "good_data": 50}, 1),
    ],
)
def test_a_strategy_gives_the_next_review_its_label(strategy, given, label):
    assert STRATEGIES[strategy](moment(**given)) == Submission(7, label)


def test_a_copycat_repeats_what_another_contributed_and_has_nothing_of_its_own():
    latest = Submission(3, 1)
    assert STRATEGIES["copycat"](moment(latest=latest)) == latest
    assert STRATEGIES["copycat"](moment()) is None


def test_random_labels_are_of_both_kinds():
    one = moment()
    assert {STRATEGIES["random"](one).label for _ in range(50)} == {0, 1}


def test_honest_agents_stay_away_from_a_model_that_does_badly():
    one = moment(accuracy=0.35)
    came = sum(STRATEGIES["honest"](one) is not None for _ in range(1_000))
    assert 420 < came < 580


def test_an_honest_agent_first_answers_who_turned_its_data():
    turned = Submission(2, 0)
    assert STRATEGIES["honest"](moment(turned=turned, accuracy=0)) == turned


def test_a_flipper_teaches_the_opposite_of_what_turns_soon_enough():
    flipper, holder = STRATEGIES["flipper"], STRATEGIES["holder"]
    near, far = (Target(Submission(4, 0), MOST_LESSONS + i, served=False) for i in (0, 1))
    assert flipper(moment(good_data=50, others=near)) == Submission(4, 1)
    assert flipper(moment(good_data=50, others=far)) is None
    assert flipper(moment(good_data=50, own=near)) is None
    assert holder(moment(good_data=50, others=near)) is None


def test_a_staller_turns_at_once_what_it_has_announced_and_else_waits_for_the_quiet():
    staller = STRATEGIES["staller"]
    target = Target(Submission(4, 0), MOST_LESSONS, served=False)
    assert staller(moment(good_data=50, others=target)) == Submission(4, 1)
    assert staller(moment(good_data=50, others=target, poised=True)) is None
    assert staller(moment(predicted=1, poised=True)) is None
    served = target._replace(served=True)
    assert staller(moment(good_data=50, others=served, poised=True)) == Submission(4, 1)
    assert staller(moment(predicted=1, others=served)) == Submission(4, 1)


def test_a_launderer_teaches_its_lies_again_and_then_tells_others():
    launderer = STRATEGIES["launderer"]
    near, far = (Target(Submission(4, 0), MOST_LESSONS + i, served=False) for i in (0, 1))
    assert launderer(moment(good_data=50, own=near)) == Submission(4, 0)
    assert launderer(moment(good_data=50, own=far, truth=1)) == Submission(7, 0)
