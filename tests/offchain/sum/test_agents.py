"""What each strategy submits, given what it knows."""

import numpy as np
import pytest

from offchain.sum.agents import PATIENCE, STRATEGIES, Moment, Submission


def moment(*, truth=1, predicted=0, good_data=0, latest=None, accuracy=1.0) -> Moment:
    return Moment(
        review=7,
        truth=truth,
        classes=2,
        predict=lambda: predicted,
        accuracy=accuracy,
        good_data=good_data,
        latest=latest,
        now=0,
        random=np.random.default_rng(0),
    )


@pytest.mark.parametrize(
    ("strategy", "given", "label"),
    [
        ("honest", {"truth": 1}, 1),
        ("honest", {"truth": 0}, 0),
        ("flipped", {"truth": 1}, 0),
        ("flipped", {"truth": 0}, 1),
        ("targeted", {"truth": 1}, 0),
        ("targeted", {"truth": 0}, 0),
        ("parrot", {"truth": 1, "predicted": 0}, 0),
        ("parrot", {"truth": 0, "predicted": 1}, 1),
        ("sybil", {"truth": 1, "good_data": PATIENCE - 1}, 1),
        ("sybil", {"truth": 1, "good_data": PATIENCE}, 0),
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
