"""What a contribution goes through, and who is refused."""

import ape
from ape.utils import ZERO_ADDRESS

from tests.kit.driver import gained
from tests.kit.refusals import deployment_refusal, refused
from tests.sum.model_driver import (
    ANYONE,
    COST_WEIGHT,
    SUBMISSION_COST,
    TASK,
    UNIT,
    naming,
    stake_deposit,
)

COST = SUBMISSION_COST * UNIT
AUTHOR_COUNT = 4
"""The slot that counts who has contributed."""


def key_of(driver, made):
    """The record's key, from the event that announced it."""
    (log,) = [
        log
        for log in driver.model.DataAdded.range(0, ape.chain.blocks.height + 1)
        if log.addedAt == made.added_at and log.author == made.author.address
    ]
    return bytes(log.key)


# ---------------------------------------------------------------- what a contribution goes through


def test_a_good_contribution_comes_back_whole_but_for_its_cost(staked, alice):
    """The deposit is locked, comes back to the wei after the wait, and counts as good."""
    made = staked.add(alice, after=100)
    assert (made.deposit, made.cost) == (COST_WEIGHT * 6 * UNIT, COST)
    assert tuple(staked.model.contribution(*made.named)) == (
        True, False, False, made.deposit, made.deposit,
    )  # fmt: skip
    assert staked.classifier.lessons() == 1
    assert staked.model.balance == made.deposit + made.cost
    staked.check_books()

    staked.announce(made, by=alice)
    receipt = staked.model.refund(*made.args, alice, sender=alice)
    assert gained(alice, receipt) == made.deposit
    (log,) = staked.model.Refunded.from_receipt(receipt)
    assert (log.author, bytes(log.key), log.amount) == (
        alice.address, key_of(staked, made), made.deposit,
    )  # fmt: skip
    assert (staked.model.goodData(alice), staked.model.totalGoodData()) == (1, 1)
    assert staked.model.lastUpdate() == made.added_at
    assert tuple(staked.model.contribution(*made.named)) == (True, True, False, made.deposit, 0)
    staked.check_books()


def test_a_bad_contribution_is_shared_by_verified_good_data(staked, alice, bob, carol):
    """Two reporters with one and three good contributions get a quarter and three quarters."""
    staked.good(alice, 1)
    staked.good(bob, 3)
    made = staked.add(carol, 0)
    staked.announce(made, by=bob)
    receipt = staked.model.report(*made.named, alice, sender=alice)
    assert gained(alice, receipt) == made.deposit // 4
    (log,) = staked.model.Reported.from_receipt(receipt)
    assert (log.reporter, bytes(log.key), log.amount) == (
        alice.address, key_of(staked, made), made.deposit // 4,
    )  # fmt: skip
    assert gained(bob, staked.model.report(*made.named, bob, sender=bob)) == made.deposit * 3 // 4
    assert staked.left(made) == made.deposit - made.deposit // 4 - made.deposit * 3 // 4
    staked.check_books()


def test_an_author_gets_what_reporters_left(staked, alice, bob, carol):
    """Reported in part, and then the model changes its mind: the rest comes back, as good data."""
    staked.good(alice)
    staked.good(bob)
    made = staked.add(carol, 0)
    staked.announce(made, by=bob)
    staked.model.report(*made.named, alice, sender=alice)
    staked.say(0)
    staked.announce(made, by=carol)
    receipt = staked.model.refund(*made.args, carol, sender=carol)
    assert gained(carol, receipt) == made.deposit - made.deposit // 2
    assert staked.model.goodData(carol) == 1
    assert staked.refusal("report", *made.named, bob, sender=bob) == refused(
        "AlreadyRefunded", key_of(staked, made)
    )
    staked.check_books()


def test_what_a_silent_party_left_goes_to_whoever_comes(staked, alice, stranger):
    """An author that never comes back loses its deposit to anybody, and nothing stays locked."""
    made = staked.add(alice)
    staked.go_to(made.added_at + ANYONE)
    receipt = staked.model.takeOver(*made.named, stranger, sender=stranger)
    assert gained(stranger, receipt) == made.deposit
    (log,) = staked.model.TakenOver.from_receipt(receipt)
    assert (log.taker, log.amount) == (stranger.address, made.deposit)
    assert staked.left(made) == 0
    for name, args, sender in (
        ("takeOver", (*made.named, stranger), stranger),
        ("announce", made.named, alice),
        ("refund", (*made.args, alice), alice),
    ):
        assert staked.refusal(name, *args, sender=sender) == refused("NothingLeft")
    staked.check_books()


def test_the_same_sample_twice_is_two_contributions(staked, alice):
    """Each has its own record, so that one refund leaves the other."""
    first = staked.add(alice)
    staked.contributions.pop()
    second = staked.add(alice)
    assert first.features == second.features
    staked.announce(first, by=alice)
    staked.model.refund(*first.args, alice, sender=alice)
    assert staked.left(second) == second.deposit


# ---------------------------------------------------------------- who is refused


def test_only_what_was_added_can_be_dealt_with(staked, alice, bob):
    """Another sample, label, time or author names nothing."""
    made = staked.add(alice)
    staked.go_to(made.added_at + ANYONE)
    features, label, added_at = made.args
    for wrong in (
        ([features[0] + 1], label, added_at, alice),
        ([features[0], 0], label, added_at, alice),
        (features, label + 1, added_at, alice),
        (features, label, added_at + 1, alice),
        (features, label, added_at, bob),
    ):
        for name in ("announce", "object", "report", "takeOver"):
            args = naming(name, wrong, staked.owner)
            refusal = staked.refusal(name, *args, sender=staked.owner)
            assert refusal.name == "NeverAdded"
    assert staked.refusal("refund", *made.args, bob, sender=bob).name == "NeverAdded"
    assert not staked.model.contribution(features, label, added_at, bob).added


def test_nothing_is_refunded_twice(staked, alice, bob):
    """Nor reported or taken over once it was refunded."""
    staked.good(bob)
    made = staked.add(alice)
    staked.announce(made, by=alice)
    staked.model.refund(*made.args, alice, sender=alice)
    staked.say(0)
    staked.go_to(made.added_at + ANYONE)
    outcome = refused("AlreadyRefunded", key_of(staked, made))
    assert staked.refusal("refund", *made.args, alice, sender=alice) == outcome
    for name in ("announce", "object", "report", "takeOver"):
        assert staked.refusal(name, *naming(name, made.named, bob), sender=bob) == outcome


def test_nobody_reports_twice_or_its_own(staked, alice, bob, carol):
    """A second report would take more than the share; one's own deposit is for the refund."""
    staked.good(alice)
    staked.good(bob)
    made = staked.add(carol, 0)
    staked.announce(made, by=bob)
    staked.model.report(*made.named, alice, sender=alice)
    assert staked.refusal("report", *made.named, alice, sender=alice) == refused(
        "AlreadyClaimed", key_of(staked, made), alice
    )
    assert staked.refusal("report", *made.named, carol, sender=carol) == refused("OwnData", carol)
    assert staked.refusal("report", *made.named, bob, sender=bob) is None


def test_an_account_without_a_seat_reports_once_too(told, alice, bob):
    """A reporter without good data is noted elsewhere, and stays noted once it has good data."""
    told.incentive.tell(1, sender=told.owner)
    made, own = told.add(alice, 0), told.add(bob)
    told.model.report(*made.named, bob, sender=bob)
    outcome = refused("AlreadyClaimed", key_of(told, made), bob)
    assert told.refusal("report", *made.named, bob, sender=bob) == outcome
    told.model.refund(*own.args, bob, sender=bob)
    assert told.model.goodData(bob) == 1
    assert told.refusal("report", *made.named, bob, sender=bob) == outcome
    assert told.refusal("report", *made.named, told.owner, sender=told.owner) is None


def test_reports_go_on_when_the_seats_are_taken(told, accounts, alice, deployer):
    """Beyond 12 authors a report is noted in a slot of its own, and still counts once."""
    told.incentive.tell(0, sender=deployer)
    made = told.add(alice, 0)
    crowd = accounts[14:30]
    for account in crowd:
        ape.chain.provider.set_balance(account.address, 10**18)
        one = told.add(account, after=1)
        told.model.refund(*one.args, account, sender=account)
    for account in (crowd[0], crowd[11], crowd[12], crowd[13]):
        told.model.report(*made.named, account, sender=account)
        assert told.refusal("report", *made.named, account, sender=account).name == "AlreadyClaimed"
    others = [told.refusal("report", *made.named, one, sender=one) for one in (crowd[1], crowd[10])]
    assert others == [None, None]


def test_a_payment_below_what_is_needed(staked, alice):
    """One wei too little is refused with both figures; what is required is what is taken."""
    staked.go_to(staked.model.lastUpdate() + 100)
    deposit, cost = staked.model.required([1], 1)
    assert (deposit, cost) == (stake_deposit(100), COST)
    needed = deposit + cost
    refusal = staked.refusal("addData", [1], 1, needed - 1, COST, sender=alice, value=needed - 1)
    assert refusal == refused("DepositTooSmall", needed - 1, needed)
    assert staked.refusal("addData", [1], 1, needed, COST, sender=alice, value=needed) is None


def test_what_the_classifier_refuses(staked, alice):
    """A label out of range is refused by name, and nothing is taken."""
    staked.go_to(staked.model.lastUpdate() + 100)
    refusal = staked.refusal("addData", [1], 2, 10**18, COST, sender=alice, value=10**18)
    assert refusal == refused("LabelOutOfRange", 2, 2)


def test_a_repeat_teaches_and_earns_nothing(staked, alice, bob):
    """Whoever brings it has its deposit back; good data is the first alone, and the other label."""
    made = staked.add(alice)
    staked.contributions.pop()
    again = [staked.add(alice)]
    staked.contributions.pop()
    again.append(staked.add(bob))
    staked.contributions.pop()
    other = staked.add(bob, 0)
    assert {one.features for one in (made, *again, other)} == {made.features}
    assert staked.classifier.lessons() == 4
    for one in (*again, made):
        staked.announce(one, by=one.author)
        receipt = staked.model.refund(*one.args, one.author, sender=one.author)
        assert gained(one.author, receipt) == one.deposit
        assert staked.model.totalGoodData() == (one is made)
    staked.say(0)
    staked.announce(other, by=bob)
    staked.model.refund(*other.args, bob, sender=bob)
    assert (staked.model.goodData(alice), staked.model.goodData(bob)) == (1, 1)


def test_a_pair_is_free_again_once_its_first_is_spent(staked, alice, bob, stranger):
    """What was taken over and reported away counts when it proves good at last, once; it reads as
    never added, once another has its place, and who reported it may report that."""
    staked.good(bob)
    pair = {"features": (99,), "label": 0}
    lie = staked.add(alice, **pair)
    staked.announce(lie, by=bob)
    staked.model.report(*lie.named, bob, sender=bob)
    assert staked.left(lie) == 0
    again = staked.add(alice, **pair)
    assert not staked.model.contribution(*lie.named).added
    staked.announce(again, by=bob)
    staked.model.report(*again.named, bob, sender=bob)
    left = staked.add(alice, **pair)
    staked.go_to(left.added_at + ANYONE)
    staked.model.takeOver(*left.named, stranger, sender=stranger)
    staked.say(0)
    first, repeat = staked.add(alice, **pair), staked.add(bob, **pair)
    for one in (repeat, first):
        staked.announce(one, by=one.author)
        staked.model.refund(*one.args, one.author, sender=one.author)
    assert (staked.model.goodData(alice), staked.model.goodData(bob)) == (1, 1)
    late = staked.add(alice, **pair)
    staked.announce(late, by=alice)
    staked.model.refund(*late.args, alice, sender=alice)
    assert staked.model.goodData(alice) == 1
    staked.check_books()


def test_without_deposits_a_pair_is_free_again_once_its_first_was_reported(points, alice, bob):
    """Before that it is its author's, however little is at stake."""
    points.good(bob)
    pair = {"features": (99,), "label": 0}
    first, repeat = points.add(alice, **pair), points.add(bob, **pair)
    points.announce(first, by=bob)
    points.model.report(*first.named, bob, sender=bob)
    again = points.add(alice, **pair)
    points.say(0)
    for one in (repeat, again):
        points.announce(one, by=one.author)
        points.model.refund(*one.args, one.author, sender=one.author)
    assert (points.model.goodData(alice), points.model.goodData(bob)) == (1, 1)


def test_an_announcement_in_the_ninth_year(told, alice):
    """8.5 years after it was added is the last second; the money can still be taken over."""
    made = told.add(alice)
    last = 2**28 - 1
    told.go_to(made.added_at + last + 1)
    outcome = refused("AnnouncedTooLate", last + 1, last)
    assert told.refusal("announce", *made.named, sender=alice) == outcome
    again = told.add(alice, features=made.features, label=made.label)
    call = "uphold", *made.args, again.added_at
    outcome = refused("AnnouncedTooLate", again.added_at - made.added_at, last)
    assert told.refusal(*call, sender=alice) == outcome
    assert told.refusal("takeOver", *made.named, alice, sender=alice) is None


def test_an_announcement_of_the_last_second(told, alice):
    """It is read back to the second."""
    made = told.add(alice)
    at = made.added_at + 2**28 - 1
    told.go_to(at)
    told.model.announce(*made.named, sender=alice)
    assert tuple(told.model.announcement(*made.named)) == (True, False, at)


def test_the_same_twice_within_a_second(points, alice):
    """Where the rules take contributions within a second, equal ones are still told apart."""
    made = points.add(alice)
    refusal = points.refusal("addData", *made.args[:2], 0, 0, sender=alice)
    assert refusal == refused("AlreadyAdded", key_of(points, made))
    assert points.refusal("addData", [77], 1, 0, 0, sender=alice) is None


def test_nobody_takes_anothers_place_by_its_number(told, alice, bob, carol):
    """A time that carries the difference of two authors' numbers names nothing."""
    told.add(alice)
    told.add(bob)
    made = told.add(carol)
    features, label, added_at = made.args
    for forged in (added_at + (2 << 32), added_at + (1 << 32)):
        for who in (alice, bob, carol):
            refusal = told.refusal("refund", features, label, forged, who, sender=who)
            assert refusal.name == "NeverAdded"
    assert told.refusal("refund", *made.args, carol, sender=carol) is None


def test_what_does_not_fit_a_record_is_refused(told, alice, bob):
    """A deposit of more than 74 bits, and an account after 2^28 others."""
    most = 2**74 - 1
    value = 2**75
    ape.chain.provider.set_balance(alice.address, 2**80)
    for deposit, outcome in ((most, None), (most + 1, refused("DepositTooLarge", most + 1, most))):
        told.incentive.ask(deposit, sender=told.owner)
        assert told.refusal("addData", [1], 1, value, 7, sender=alice, value=value) == outcome
    told.incentive.ask(100, sender=told.owner)
    told.add(alice)
    change = [told.model.address, hex(AUTHOR_COUNT), f"0x{2**28 - 1:064x}"]
    ape.chain.provider.web3.provider.make_request("anvil_setStorageAt", change)
    outcome = refused("TooManyAuthors", 2**28 - 1)
    assert told.refusal("addData", [2], 1, 107, 7, sender=bob, value=107) == outcome
    assert told.refusal("addData", [2], 1, 107, 7, sender=alice, value=107) is None


def test_an_incentive_cannot_give_more_than_is_left(told, alice, bob):
    """Whatever the rules say, no contribution pays more than its own deposit."""
    made = told.add(alice)
    told.incentive.tell(101, sender=told.owner)
    for name, args, sender in (
        ("refund", made.args, alice),
        ("report", made.named, bob),
        ("takeOver", made.named, bob),
    ):
        assert told.refusal(name, *args, sender, sender=sender) == refused("MoreThanLeft", 101, 100)
    told.incentive.tell(100, sender=told.owner)
    assert told.refusal("refund", *made.args, alice, sender=alice) is None


def test_a_model_needs_both_its_parts(project, deployer, stake, alice):
    """An account without code as classifier, incentive or token is refused."""
    for parts in (
        (alice, stake, ZERO_ADDRESS),
        (stake, alice, ZERO_ADDRESS),
        (stake, stake, alice),
    ):
        outcome = deployment_refusal(project.SharedModel, *parts, deployer, TASK, sender=deployer)
        assert outcome == refused("NoCode", alice)


def test_a_model_needs_a_task(project, deployer, make_classifier, stake):
    """Whoever is to teach it must be able to find out what."""
    parts = make_classifier(), stake, ZERO_ADDRESS, deployer, bytes(32)
    outcome = deployment_refusal(project.SharedModel, *parts, sender=deployer)
    assert outcome == refused("NoTask")
