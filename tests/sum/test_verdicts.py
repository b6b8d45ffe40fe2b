"""Verdicts that are announced, objected to and upheld, and a reporter's share."""

import pytest

from tests.kit.refusals import refused
from tests.sum.model_driver import (
    ANYONE,
    VERDICT,
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
