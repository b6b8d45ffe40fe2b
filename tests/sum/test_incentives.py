"""Deposits to the wei, and waits and terms to the second and the coin."""

from math import isqrt

import ape
import pytest

from tests.kit.driver import gained
from tests.kit.refusals import deployment_refusal, refused
from tests.kit.snapshots import undone
from tests.sum.model_driver import (
    ANYONE,
    AUTHOR,
    COST_WEIGHT,
    DAY,
    MOST,
    OWNER,
    QUIET,
    REFUND,
    SUBMISSION_COST,
    UNIT,
    VERDICT,
    WAITS,
    stake_deposit,
)


@pytest.mark.parametrize("seconds", [1, 3, 4, 8, 9, 3_599, 3_600, 14_400, 90_000, 90_601, 10**9])
def test_the_deposit_falls_with_the_root_of_the_time(stake, seconds):
    """60 weights over the whole root of the seconds, one unit at least, to the wei."""
    now = ape.chain.blocks.head.timestamp
    units = max(1, 60 * COST_WEIGHT // isqrt(seconds))
    assert tuple(stake.required([1], 1, now - seconds)) == (units * UNIT, SUBMISSION_COST * UNIT)


def test_the_second_of_another_costs_as_much_as_the_next(staked, alice):
    """The most there is, and no more: whoever comes first, who offers that is taken."""
    staked.add(alice)
    most = stake_deposit(1) + SUBMISSION_COST * UNIT
    for after in (0, 1):
        staked.go_to(staked.model.lastUpdate() + after)
        assert sum(staked.model.required([8], 1)) == most
        sent = {"sender": alice, "value": most - 1}
        outcome = refused("DepositTooSmall", most - 1, most)
        assert staked.refusal("addData", [8], 1, most - 1, MOST, **sent) == outcome
        sent["value"] += 1
        assert staked.refusal("addData", [8], 1, most, MOST, **sent) is None


def test_who_comes_fast_pays_for_all(staked, alice, bob):
    """The time counts from anybody's update."""
    staked.add(alice, after=10_000)
    hasty = staked.add(bob, after=1)
    assert hasty.deposit == 60 * COST_WEIGHT * UNIT


def test_an_author_announces_from_the_end_of_its_wait(staked, alice):
    """One second before it not, at it and ever after."""
    made = staked.add(alice)
    due = made.added_at + REFUND
    for now in (made.added_at, due - 1):
        staked.go_to(now)
        outcome = refused("RefundTooEarly", now, due)
        assert staked.refusal("announce", *made.named, sender=alice) == outcome
    for now in (due, due + 1, made.added_at + ANYONE + DAY):
        staked.go_to(now)
        assert staked.refusal("announce", *made.named, sender=alice) is None


def test_others_announce_once_the_author_had_its_time_alone(staked, alice, bob):
    """The author could have been refunded by then."""
    staked.good(bob)
    made = staked.add(alice, 0)
    due = made.added_at + REFUND + AUTHOR
    staked.go_to(due - 1)
    outcome = refused("ReportTooEarly", due - 1, due)
    assert staked.refusal("announce", *made.named, sender=bob) == outcome
    staked.go_to(due)
    assert staked.refusal("announce", *made.named, sender=bob) is None


@pytest.mark.parametrize("good", [True, False], ids=["good", "bad"])
def test_what_is_announced_is_claimed_after_the_wait_for_a_verdict(staked, alice, bob, good):
    """Not before it was announced, not one second before the wait is over, and from then on."""
    staked.good(bob)
    made = staked.add(alice, int(good))
    who = alice if good else bob
    claimed = ("refund", *made.args, who) if good else ("report", *made.named, who)
    staked.go_to(made.added_at + REFUND + AUTHOR)
    assert staked.refusal(*claimed, sender=who) == refused("NotAnnounced")
    staked.model.announce(*made.named, sender=who)
    due = staked.now + VERDICT
    staked.go_to(due - 1)
    outcome = refused("VerdictTooEarly", due - 1, due)
    assert staked.refusal(*claimed, sender=who) == outcome
    for now in (due, due + ANYONE):
        staked.go_to(now)
        assert staked.refusal(*claimed, sender=who) is None


def test_nothing_is_judged_within_the_quiet_time(staked, alice, bob):
    """Announcements, objections and claims wait for it; the update is anybody's."""
    staked.good(bob)
    good, bad = staked.add(alice), staked.add(alice, 0)
    new, old = staked.add(alice), staked.add(alice)
    staked.announce(good, by=alice)
    staked.announce(bad, by=bob)
    staked.model.announce(*old.named, sender=alice)
    staked.add(bob)
    quiet = staked.now + QUIET
    calls = (
        ("announce", new.named, alice),
        ("refund", (*good.args, alice), alice),
        ("report", (*bad.named, bob), bob),
    )

    def outcomes():
        found = [staked.refusal(name, *args, sender=who) for name, args, who in calls]
        with undone():
            staked.say(0)
            now = staked.now
            return now, [*found, staked.refusal("object", *old.named, sender=bob)]

    staked.go_to(quiet - 2)
    now, found = outcomes()
    assert found[:3] == [refused("NotQuiet", quiet - 2, quiet)] * 3
    assert found[3] == refused("NotQuiet", now, quiet)
    staked.go_to(quiet)
    assert outcomes()[1] == [None] * 4


def test_take_over_by_the_owner_and_by_anybody(staked, alice, bob):
    """The owner after its wait, all others after theirs, the author among them."""
    made = staked.add(alice)
    for who, wait in ((staked.owner, OWNER), (bob, ANYONE), (alice, ANYONE)):
        due = made.added_at + wait
        with undone():
            staked.go_to(due - 1)
            outcome = refused("TakeOverTooEarly", due - 1, due)
            assert staked.refusal("takeOver", *made.named, who, sender=who) == outcome
            staked.go_to(due)
            assert gained(who, staked.model.takeOver(*made.named, who, sender=who)) == made.deposit


def test_an_author_who_announces_is_not_taken_over(staked, alice, bob, stranger):
    """Objections may keep it from its refund; they do not make its deposit anybody's."""
    made = staked.add(alice)
    staked.announce(made, by=alice)
    announced = staked.model.announcement(*made.named).at
    staked.say(0)
    staked.model.object(*made.named, sender=stranger)
    for who, wait in ((staked.owner, OWNER), (bob, ANYONE)):
        due = announced + wait
        with undone():
            staked.go_to(due - 1)
            outcome = refused("TakeOverTooEarly", due - 1, due)
            assert staked.refusal("takeOver", *made.named, who, sender=who) == outcome
            staked.go_to(due)
            assert staked.refusal("takeOver", *made.named, who, sender=who) is None


def test_nothing_is_taken_over_before_it_is_quiet(staked, alice, stranger):
    """Else whoever keeps teaching so that nobody can announce would take all there is."""
    made = staked.add(alice)
    staked.go_to(made.added_at + ANYONE)
    staked.add(alice)
    quiet = staked.now + 2 * QUIET
    staked.go_to(quiet - 1)
    outcome = refused("NotQuiet", quiet - 1, quiet)
    assert staked.refusal("takeOver", *made.named, stranger, sender=stranger) == outcome
    staked.go_to(quiet)
    assert staked.refusal("takeOver", *made.named, stranger, sender=stranger) is None


SHORT, LONG = 600, 30 * DAY
LEAST = (SHORT, SHORT + 1, SHORT, 3 * SHORT + 2, 3 * SHORT + 2, 60)


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, None),
        ({0: SHORT - 1}, ("WindowOutOfRange", SHORT - 1, SHORT, LONG)),
        ({1: LONG + 1}, ("WindowOutOfRange", LONG + 1, SHORT, LONG)),
        ({2: 0}, ("WindowOutOfRange", 0, SHORT, LONG)),
        ({4: LONG + 1}, ("WindowOutOfRange", LONG + 1, SHORT, LONG)),
        ({4: LONG}, None),
        ({5: 59}, ("WindowOutOfRange", 59, 60, 600)),
        ({5: 601}, ("WindowOutOfRange", 601, 60, 600)),
        ({5: 600}, None),
        ({1: SHORT}, ("AuthorHurried", SHORT, SHORT)),
        ({3: 3 * SHORT + 1}, ("WaitsOutOfOrder", 3 * SHORT + 1, 3 * SHORT + 1, 3 * SHORT + 2)),
        ({3: 3 * SHORT + 3}, ("WaitsOutOfOrder", 3 * SHORT + 1, 3 * SHORT + 3, 3 * SHORT + 2)),
    ],
)
def test_waits_that_are_no_waits(project, deployer, changes, outcome):
    """An author has time for its refund before anybody can report, and all before a take-over."""
    waits = tuple(changes.get(i, wait) for i, wait in enumerate(LEAST))
    for container, terms in (
        (project.StakeIncentive, (COST_WEIGHT, SUBMISSION_COST, UNIT)),
        (project.PointsIncentive, ()),
    ):
        found = deployment_refusal(container, *terms, waits, sender=deployer)
        assert found == (None if outcome is None else refused(*outcome))


def test_terms_that_do_not_fit(project, deployer):
    """A unit of nothing, and deposits or costs that no slot holds, are refused at the start."""
    most = 2**74 - 1
    weight = most // 60
    for terms, outcome in (
        ((1, 1, 0), refused("UnitZero")),
        ((weight, 0, 1), None),
        ((weight + 1, 0, 1), refused("AmountTooLarge", 60 * (weight + 1), most)),
        ((0, 2**80 - 1, 1), None),
        ((0, 2**80, 1), refused("AmountTooLarge", 2**80, 2**80 - 1)),
    ):
        found = deployment_refusal(project.StakeIncentive, *terms, WAITS, sender=deployer)
        assert found == outcome


def test_terms_can_be_read(stake, points):
    """What an incentive was made with."""
    assert (stake.costWeight(), stake.submissionCost(), stake.unit()) == (
        COST_WEIGHT,
        SUBMISSION_COST,
        UNIT,
    )
    assert (
        tuple(stake.waits(skip_trace=True))
        == tuple(points.incentive.waits(skip_trace=True))
        == WAITS
    )
