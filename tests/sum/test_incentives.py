"""The rules: deposits to the wei, waits to the second, shares, and the group without money."""

from math import isqrt

import ape
import pytest

from offchain.sum.members import Members
from tests.kit.driver import gained
from tests.kit.refusals import deployment_refusal, refusal, refused
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


def claim(author, **changes):
    """What an incentive is told of a claim by ``author``'s reporter, in the order of Claim."""
    told = {
        "author": author,
        "claimant": author,
        "byOwner": False,
        "reported": False,
        "announced": True,
        "announcedAt": 0,
        "lastUpdate": 0,
        "addedAt": 0,
        "deposit": 1_000,
        "left": 1_000,
        "label": 1,
        "predicted": 0,
        "goodData": 1,
        "totalGoodData": 1,
    }
    assert set(changes) <= set(told)
    return tuple((told | changes).values())


def share(incentive, author, **changes):
    """What the incentive gives a reporter."""
    return incentive.onReport(claim(author, **changes))


# ---------------------------------------------------------------- deposits


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


# ---------------------------------------------------------------- waits


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


# ---------------------------------------------------------------- verdicts and shares


def test_the_model_decides_at_the_announcement_and_at_the_claim(staked, alice, bob, stranger):
    """Either way its word is needed at both ends, and to object it must say the contrary."""
    staked.good(bob)
    made = staked.add(alice, 0)
    agrees, disagrees = refused("ModelAgrees", 0), refused("ModelDisagrees", 1, 0)
    staked.go_to(staked.due(made, bob))
    assert staked.refusal("announce", *made.named, sender=alice) == disagrees
    staked.announce(made, by=bob)
    assert staked.refusal("object", *made.named, sender=stranger) == disagrees
    assert staked.refusal("report", *made.named, bob, sender=bob) is None
    staked.say(0)
    assert staked.refusal("report", *made.named, bob, sender=bob) == agrees
    staked.announce(made, by=alice)
    assert staked.refusal("announce", *made.named, sender=bob) == agrees
    assert staked.refusal("object", *made.named, sender=stranger) == agrees
    assert staked.refusal("refund", *made.args, alice, sender=alice) is None
    staked.say(1)
    assert staked.refusal("refund", *made.args, alice, sender=alice) == disagrees


def test_an_objection_makes_a_verdict_fall(staked, alice, bob, stranger):
    """What stood announced has to be announced anew, and waits anew; the time of it is kept."""
    staked.good(bob)
    made = staked.add(alice)
    staked.announce(made, by=alice)
    at = staked.now - VERDICT
    assert tuple(staked.model.announcement(*made.named)) == (True, False, at)
    staked.say(0)
    receipt = staked.model.object(*made.named, sender=stranger)
    (log,) = staked.model.Objected.from_receipt(receipt)
    assert log.objector == stranger.address
    assert tuple(staked.model.announcement(*made.named)) == (False, False, at)
    staked.say(1)
    assert staked.refusal("refund", *made.args, alice, sender=alice) == refused("NotAnnounced")
    outcome = refused("NothingAnnounced", bytes(log.key))
    assert staked.refusal("object", *made.named, sender=stranger) == outcome
    staked.announce(made, by=alice)
    assert staked.refusal("refund", *made.args, alice, sender=alice) is None


def test_an_author_upholds_what_it_contributed_again(staked, alice, bob, stranger):
    """Whatever the model says, and in the noise of that lesson: what stands announced falls, and
    all waits but the first begin anew."""
    staked.good(bob)
    made = staked.add(alice, 0)
    staked.announce(made, by=bob)
    again = staked.add(alice, made.label, features=made.features)
    assert staked.refusal("report", *made.named, bob, sender=bob).name == "NotQuiet"
    receipt = staked.model.uphold(*made.args, again.added_at, sender=alice)
    (log,) = staked.model.Upheld.from_receipt(receipt)
    at = staked.now
    assert log.author == alice.address
    assert tuple(staked.model.announcement(*made.named)) == (False, False, at)
    staked.go_to(at + VERDICT)
    assert staked.refusal("report", *made.named, bob, sender=bob) == refused("NotAnnounced")
    due = at + ANYONE
    staked.go_to(due - 1)
    outcome = refused("TakeOverTooEarly", due - 1, due)
    assert staked.refusal("takeOver", *made.named, stranger, sender=stranger) == outcome
    staked.go_to(due)
    assert staked.refusal("takeOver", *made.named, stranger, sender=stranger) is None
    staked.check_books()


def test_upholding_takes_a_stake_of_the_authors_own_since(staked, alice, bob):
    """One for each announcement: neither an older one, nor another's, nor one of something else."""
    staked.good(bob)
    before = staked.add(alice, 0, features=(99,))
    made = staked.add(alice, 0, features=(99,))
    others = staked.add(bob, 0, features=(99,))

    def refusal(one, of, by=alice):
        return staked.refusal("uphold", *one.args, of.added_at, sender=by)

    for old in (before, made):
        outcome = refused("TaughtBefore", old.added_at, made.added_at + 1)
        assert refusal(made, old) == outcome
    assert refusal(before, made) is None
    for call in ((made, others), (made, others, bob), (made, staked.add(alice, 0))):
        assert refusal(*call).name == "NeverAdded"
    staked.go_to(staked.due(made, bob))
    staked.model.announce(*before.named, sender=bob)
    at = staked.now
    assert refusal(before, made) == refused("TaughtBefore", made.added_at, at)
    again = staked.add(alice, 0, features=(99,))
    assert refusal(before, again) is refusal(made, again) is None
    staked.go_to(again.added_at + 1)
    staked.model.uphold(*before.args, again.added_at, sender=alice)
    assert refusal(before, again).name == "TaughtBefore"


def test_one_stake_upholds_once(staked, alice, stranger):
    """Also where it did in its own second: nothing is announced that it could answer."""
    made = staked.add(alice)
    again = staked.add(alice, features=made.features)
    staked.go_to(again.added_at)
    staked.model.uphold(*made.args, again.added_at, sender=alice)
    upheld = staked.now
    staked.go_to(upheld + ANYONE - 1)
    outcome = refused("TaughtBefore", again.added_at, upheld + 1)
    assert staked.refusal("uphold", *made.args, again.added_at, sender=alice) == outcome
    staked.go_to(upheld + ANYONE)
    assert staked.refusal("takeOver", *made.named, stranger, sender=stranger) is None


@pytest.mark.parametrize("end", ["proved good", "reported", "taken over"])
def test_only_what_is_at_stake_upholds(staked, alice, bob, stranger, end):
    """An author who lost the second deposit, or has it back, risks nothing by it any more."""
    staked.good(bob)
    made = staked.add(alice, 1 if end == "proved good" else 0)
    again = staked.add(alice, made.label, features=made.features)
    call = "uphold", *made.args, again.added_at
    assert staked.refusal(*call, sender=alice) is None
    if end == "proved good":
        staked.announce(again, by=alice)
        staked.model.refund(*again.args, alice, sender=alice)
    elif end == "reported":
        staked.announce(again, by=bob)
        staked.model.report(*again.named, bob, sender=bob)
    else:
        staked.go_to(again.added_at + ANYONE)
        staked.model.takeOver(*again.named, stranger, sender=stranger)
    assert staked.refusal(*call, sender=alice).name == "NotAtStake"


def test_nothing_is_upheld_that_proved_good(staked, alice):
    made = staked.add(alice)
    staked.announce(made, by=alice)
    staked.model.refund(*made.args, alice, sender=alice)
    again = staked.add(alice, features=made.features)
    call = "uphold", *made.args, again.added_at
    assert staked.refusal(*call, sender=alice).name == "AlreadyRefunded"


def test_an_announcement_takes_the_contrary_ones_place(staked, alice, bob):
    """Reporter and author object by announcing; the same again would only start the wait anew."""
    staked.good(bob)
    made = staked.add(alice)
    for says, who, good in ((1, alice, True), (0, bob, False), (1, alice, True)):
        staked.say(says)
        staked.go_to(staked.due(made, bob))
        receipt = staked.model.announce(*made.named, sender=who)
        (log,) = staked.model.Announced.from_receipt(receipt)
        assert (log.claimant, log.good) == (who.address, good)
        stands = staked.model.announcement(*made.named)
        assert (stands.good, stands.bad, stands.at) == (good, not good, staked.now)
        again = refused("AlreadyAnnounced", bytes(log.key))
        assert staked.refusal("announce", *made.named, sender=who) == again


def test_only_those_with_good_data_report(staked, alice, bob, carol):
    """A stranger gets nothing for pointing at bad data."""
    made = staked.add(alice, 0)
    staked.good(bob)
    staked.go_to(staked.due(made, bob))
    outcome = refused("NoGoodData", carol)
    assert staked.refusal("announce", *made.named, sender=carol) == outcome
    staked.announce(made, by=bob)
    assert staked.refusal("report", *made.named, carol, sender=carol) == outcome


@pytest.mark.parametrize(
    ("figures", "amount"),
    [
        ({"goodData": 2, "totalGoodData": 3}, 666),
        ({"goodData": 1, "totalGoodData": 1_000}, 1),
        ({"goodData": 1, "totalGoodData": 1_001}, 1_000),
        ({"goodData": 1, "totalGoodData": 1_001, "left": 9}, 9),
        ({"goodData": 2, "totalGoodData": 3, "left": 667}, 666),
        ({"goodData": 2, "totalGoodData": 3, "left": 665}, 665),
    ],
)
def test_a_reporters_share(stake, alice, figures, amount):
    """Of the deposit by good data, rounded down; all that is left where that is zero or more."""
    assert share(stake, alice, **figures) == amount


def test_nothing_left_to_report(staked, alice, bob, carol):
    """Once a reporter had everything, the next is told so."""
    staked.good(bob)
    made = staked.add(alice, 0)
    staked.announce(made, by=bob)
    staked.model.report(*made.named, bob, sender=bob)
    assert staked.left(made) == 0
    staked.good(carol)
    assert staked.refusal("report", *made.named, carol, sender=carol) == refused("NothingLeft")


# ---------------------------------------------------------------- points


def test_points_are_counted_without_money(points, alice, bob):
    """A refund pays nothing and counts; a report pays nothing and marks."""
    good, bad = points.add(alice), points.add(bob, 0)
    assert (good.deposit, good.cost, points.model.balance) == (0, 0, 0)
    points.announce(good, by=alice)
    assert gained(alice, points.model.refund(*good.args, alice, sender=alice)) == 0
    assert (points.model.goodData(alice), points.model.totalGoodData()) == (1, 1)
    points.announce(bad, by=alice)
    receipt = points.model.report(*bad.named, alice, sender=alice)
    assert gained(alice, receipt) == 0
    assert points.model.contribution(*bad.named).reported
    assert points.model.totalGoodData() == 1


def test_marked_once_and_for_all(points, alice, bob, carol):
    """What was reported under points is not reported again, and never counts as good."""
    points.good(bob)
    points.good(carol)
    made = points.add(alice, 0)
    points.announce(made, by=bob)
    points.model.report(*made.named, bob, sender=bob)
    outcome = refused("AlreadyReported")
    assert points.refusal("report", *made.named, carol, sender=carol) == outcome
    points.say(0)
    assert points.refusal("refund", *made.args, alice, sender=alice) == outcome
    assert points.refusal("announce", *made.named, sender=alice) == outcome


def test_points_wait_and_listen_too(points, alice, bob):
    """The same waits and the same verdict as with money; there is nothing to take over."""
    points.good(bob)
    made = points.add(alice)
    due = made.added_at + REFUND
    points.go_to(due - 1)
    outcome = refused("RefundTooEarly", due - 1, due)
    assert points.refusal("announce", *made.named, sender=alice) == outcome
    outcome = refused("ReportTooEarly", due - 1, due + AUTHOR)
    assert points.refusal("announce", *made.named, sender=bob) == outcome
    points.announce(made, by=alice)
    assert points.refusal("refund", *made.args, alice, sender=alice) is None
    points.go_to(due + AUTHOR)
    assert points.refusal("announce", *made.named, sender=bob) == refused("ModelAgrees", 1)
    points.say(0)
    assert points.refusal("refund", *made.args, alice, sender=alice) == refused(
        "ModelDisagrees", 0, 1
    )
    points.go_to(made.added_at + ANYONE)
    assert points.refusal("takeOver", *made.named, bob, sender=bob) == refused("NothingLeft")


def test_predictions_are_paid_by_points(points, alice, bob, stranger):
    """A group without deposits still shares what others pay."""
    points.good(alice, 2)
    points.good(bob)
    points.model.payForPrediction([5], 300, value=300, sender=stranger)
    assert [points.model.claimable(one) for one in (alice, bob)] == [200, 100]
    assert gained(alice, points.model.claimRewards(alice, sender=alice)) == 200
    points.check_books()


def test_who_is_no_member_neither_teaches_nor_reports(points, alice, bob, carol, stranger):
    """And a member reports once data of its own proved good."""
    outcome = refused("NotMember", stranger)
    assert points.refusal("addData", [9], 1, 0, 0, sender=stranger) == outcome
    points.good(carol)
    made = points.add(alice, 0)
    points.go_to(made.added_at + REFUND + AUTHOR)
    for reporter in (stranger, bob):
        outcome = refused("NoGoodData", reporter)
        assert points.refusal("announce", *made.named, sender=reporter) == outcome
    points.announce(made, by=carol)
    for reporter in (stranger, bob):
        outcome = refused("NoGoodData", reporter)
        assert points.refusal("report", *made.named, reporter, sender=reporter) == outcome


def test_members_are_named_once_by_the_owner(project, deployer, alice, stranger):
    """Before that nobody contributes; a list of nobody is none."""
    incentive = project.PointsIncentive.deploy(WAITS, sender=deployer)
    members = Members(ape.chain.chain_id, incentive.address, [str(alice.address)])
    name = incentive.nameMembers
    assert refusal(incentive.join, 0, [], sender=alice) == refused("MemberOutOfRange", 0, 0)
    not_owner = refused("NotOwner", stranger, deployer)
    assert refusal(name, members.root, 1, sender=stranger) == not_owner
    for root, count in ((members.root, 0), (bytes(32), 1)):
        assert refusal(name, root, count, sender=deployer) == refused("NoMembers")
    (log,) = name(members.root, 1, sender=deployer).decode_logs(incentive.MembersNamed)
    assert (bytes(log.root), log.count) == (members.root, 1)
    again = refused("MembersAlreadyNamed", members.root)
    assert refusal(name, members.root, 2, sender=deployer) == again
    assert (bytes(incentive.memberRoot()), incentive.memberCount()) == (members.root, 1)
    assert incentive.owner() == deployer


def test_a_member_shows_its_own_place_in_this_group(project, deployer, group, alice, bob, stranger):
    """Not another's, not one that does not exist, and not what a sibling's list shows."""
    sibling = project.PointsIncentive.deploy(WAITS, sender=deployer)
    listed = [str(one.address) for one in (stranger, alice, bob, deployer, group)]
    members = Members(ape.chain.chain_id, sibling.address, listed)
    sibling.nameMembers(members.root, 5, sender=deployer)
    for index in range(5):
        outcome = refused("NotMember", bob) if index != 2 else None
        assert refusal(sibling.join, index, members.path(index), sender=bob) == outcome
    assert refusal(sibling.join, 5, [], sender=bob) == refused("MemberOutOfRange", 5, 5)
    path = members.path(0)
    for length in (0, len(path) - 1):
        outcome = refused("ProofLength", length, len(path))
        assert refusal(sibling.join, 0, path[:length], sender=stranger) == outcome
    assert not sibling.joined(stranger)
    (log,) = sibling.join(0, path, sender=stranger).decode_logs(sibling.Joined)
    assert (log.account, log.index) == (stranger.address, 0)
    assert sibling.joined(stranger)
    foreign = Members(ape.chain.chain_id, group.address, listed)
    assert refusal(sibling.join, 1, foreign.path(1), sender=alice) == refused("NotMember", alice)


def test_an_incentive_serves_any_number_of_models(make_model, stake, alice):
    """It keeps nothing: what happens to one model does not touch another."""
    one, other = make_model(stake), make_model(stake)
    one.good(alice)
    assert other.model.totalGoodData() == 0
    before = other.model.lastUpdate()
    one.add(alice)
    assert other.model.lastUpdate() == before
    assert refusal(stake.onAdd, alice, [1], 1, before, sender=alice) is None
