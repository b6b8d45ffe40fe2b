"""What it brings to teach the model for the sake of a verdict: a part of a month, made-up reviews.

The study runs the whole month on real ones: `ape run study --only attacks`.
"""

import pytest

from offchain.sum.reviews import split
from offchain.sum.simulation import simulate
from offchain.sum.study.attacks import Attack
from tests.offchain.sum.made_reviews import make_reviews

PARTS = split(make_reviews(1_900, num_words=300), 0, train_size=0.1, test=100)


def gain(strategy, *, announced):
    """Coins that the attack brings beyond holding the same share of good data."""
    attack = Attack(strategy, "honest", announced, largest_weight=100)
    ours, held = (simulate(PARTS, case.setting, 0) for case in (attack.case, attack.holder))
    good = [tally.refunded for tally in held.tallies]
    assert 4 * good[-1] >= sum(good), "too little is held to be worth an attack"
    assert announced == any(tally.answered for tally in ours.tallies[:-1])
    return ours.histories[-1].balances[-1] - held.histories[-1].balances[-1]


@pytest.mark.parametrize("strategy", ["flipper", "launderer"])
def test_no_attack_on_an_announced_verdict_pays_against_those_who_answer(strategy):
    assert gain(strategy, announced=True) < 0


def test_the_mirror_pays_where_the_model_decides_at_once():
    assert gain("launderer", announced=False) > 0
