"""What it brings to teach the model for the sake of a verdict: a part of a month, made-up reviews.

The study runs the whole month on real ones: `ape run study --only attacks`.
"""

from dataclasses import replace

import pytest

from offchain.sum.agents import Agent
from offchain.sum.reviews import split
from offchain.sum.rules import DAY, StakeTerms, Verdict
from offchain.sum.setting import COIN, Setting
from offchain.sum.simulation import simulate
from offchain.sum.study.attacks import Attack
from tests.offchain.sum.made_reviews import make_reviews

PARTS = split(make_reviews(1_900, num_words=300), 0, train_size=0.1, test=100)


def gain(strategy, *, announced):
    """Coins that the attack brings beyond holding the same share of good data."""
    attack = Attack(strategy, "honest", announced, largest_weight=100)
    ours, held = (simulate(PARTS, case.setting, 0) for case in (attack.case, attack.holder))
    good = [tally.refunded for tally in held.tallies]
    assert 5 * good[-1] >= sum(good), "too little is held to be worth an attack"
    assert announced == any(tally.answered for tally in ours.tallies[:-1])
    return ours.histories[-1].balances[-1] - held.histories[-1].balances[-1]


@pytest.mark.parametrize("strategy", ["flipper", "launderer", "staller"])
def test_no_attack_on_an_announced_verdict_pays_against_those_who_answer(strategy):
    assert gain(strategy, announced=True) < 0


def test_the_mirror_pays_where_the_model_decides_at_once():
    assert gain("launderer", announced=False) > 0


def reported_in_spite(upholding):
    """Contributions that the model agreed with when their authors announced them, and of which a
    rich staller had the deposit; and how often the authors, who come twice a day, upheld them."""
    author = Agent("author", mean_update_wait_s=0.45 * DAY, stdev_update_wait_s=3_000)
    staller = Agent(
        "staller",
        strategy="staller",
        start_balance=100_000,
        mean_deposit=100,
        mean_update_wait_s=590,
        stdev_update_wait_s=0,
        holds=0.3,
    )
    verdict = Verdict(quiet_s=600, upholding=upholding)
    setting = Setting(
        (author, replace(author, name="other"), staller),
        StakeTerms(unit=COIN, submission_cost=COIN, verdict=verdict),
        largest_weight=5,
        max_days=40,
    )
    parts = replace(PARTS, stream=PARTS.stream.subset(range(560)))
    run = simulate(parts, setting, 0, log=True)
    vouched, reported = set(), set()
    for event in run.events:
        own = event.contribution >= 0 and run.contributions[event.contribution].author
        if event.kind == "announce" and own == event.agent:
            vouched.add(event.contribution)
        if event.kind == "report" and event.agent == 2:
            reported.add(event.contribution)
    return vouched & reported, sum(tally.upheld for tally in run.tallies[:2])


def test_who_looks_in_every_wait_keeps_its_deposits_from_who_stalls():
    """It could not object, as it was never quiet while the model agreed; without upholding it has
    lost some."""
    lost, upheld = reported_in_spite(upholding=True)
    assert not lost
    assert upheld > 0
    lost, upheld = reported_in_spite(upholding=False)
    assert lost
    assert not upheld
