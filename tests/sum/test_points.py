"""The rules of a group whose members are named, without money."""

import ape

from offchain.sum.members import Members
from tests.kit.driver import gained
from tests.kit.refusals import refusal, refused
from tests.sum.model_driver import (
    ANYONE,
    AUTHOR,
    REFUND,
    WAITS,
)


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
