"""Where the money is: shares to the wei, credits, accounts with code, and books that balance."""

import ape
import pytest

from tests.kit.driver import gained
from tests.kit.refusals import decode, refusal, refused
from tests.kit.snapshots import undone
from tests.sum.model_driver import (
    ANYONE,
    OWNER,
    REFUND,
    SUBMISSION_COST,
    UNIT,
    VERDICT,
    stake_deposit,
)

COST = SUBMISSION_COST * UNIT
CONTENT, REVERTS, CALLS = 0, 1, 3


def tell(account, method, *args, sender, value=0):
    """Has an account with code call a method."""
    data = method.encode_input(*args)
    return account.act(method.contract.address, data, value, sender=sender)


@pytest.fixture
def puppet(mocks, deployer):
    """An account with code and money."""
    account = deployer.deploy(mocks["Puppet"])
    ape.chain.provider.set_balance(account.address, 10**19)
    return account


# ---------------------------------------------------------------- where the money is


def test_income_is_shared_by_good_data(staked, alice, bob, stranger):
    """A payment is split three to one, and what comes in later reaches who was good by then."""
    staked.good(alice, 3)
    staked.good(bob, 1)
    before = [staked.model.claimable(one) for one in (alice, bob)]
    receipt = staked.model.payForPrediction([5], 4_000, value=4_000, sender=stranger)
    (log,) = staked.model.PredictionPaid.from_receipt(receipt)
    assert (log.payer, log.label, log.amount) == (stranger.address, 1, 4_000)
    after = [staked.model.claimable(one) for one in (alice, bob)]
    assert [b - a for a, b in zip(before, after, strict=True)] == [3_000, 1_000]

    receipt = staked.model.claimRewards(alice, sender=alice)
    assert gained(alice, receipt) == after[0]
    (log,) = staked.model.RewardsClaimed.from_receipt(receipt)
    assert (log.account, log.amount) == (alice.address, after[0])
    assert staked.refusal("claimRewards", alice, sender=alice) == refused("NothingOwed", alice)
    assert staked.model.claimable(bob) == after[1]
    staked.check_books()
    staked.model.claimRewards(bob, sender=bob)
    assert staked.model.balance == staked.model.pot()


def test_late_good_data_has_no_part_in_earlier_income(staked, alice, bob, stranger):
    """Income is for those who were good when it came, not for those who are when it is claimed."""
    staked.good(alice)
    staked.model.payForPrediction([5], 1_000, value=1_000, sender=stranger)
    owed = staked.model.claimable(alice)
    made = staked.add(bob)
    staked.announce(made, by=bob)
    staked.model.refund(*made.args, bob, sender=bob)
    assert staked.model.claimable(alice) == owed + COST
    assert staked.model.claimable(bob) == 0


def test_a_young_models_income_waits_for_all_who_taught_it(staked, alice, bob, stranger):
    """The owner's wait from the first contribution on, to the second; then shared by good data."""
    assert staked.model.sharesFrom() == 0
    made = [staked.add(alice), staked.add(bob), staked.add(bob)]
    due = made[0].added_at + OWNER
    assert staked.model.sharesFrom() == due
    for one in made:
        staked.announce(one, by=one.author)
        staked.model.refund(*one.args, one.author, sender=one.author)
    staked.model.payForPrediction([5], 1_200, value=1_200, sender=stranger)
    staked.go_to(due - 1)
    assert [staked.model.claimable(one) for one in (alice, bob)] == [0, 0]
    assert staked.model.pot() == 1_200 + 3 * COST
    assert staked.refusal("claimRewards", alice, sender=alice) == refused("NothingOwed", alice)
    staked.go_to(due)
    shares = [400 + COST, 800 + 2 * COST]
    assert [staked.model.claimable(one) for one in (alice, bob)] == shares
    assert gained(alice, staked.model.claimRewards(alice, sender=alice)) == shares[0]
    staked.check_books()


def test_nobody_pays_where_nobody_can_be_paid(staked, alice, stranger):
    """Until data proved good, a payment would be locked."""
    outcome = refused("NobodyToPay")
    sent = {"sender": stranger, "value": 1_000}
    assert staked.refusal("payForPrediction", [5], 1_000, **sent) == outcome
    made = staked.add(alice)
    staked.announce(made, by=alice)
    assert staked.refusal("payForPrediction", [5], 1_000, **sent) == outcome
    staked.model.refund(*made.args, alice, sender=alice)
    assert staked.refusal("payForPrediction", [5], 1_000, **sent) is None


def test_a_late_first_refund_takes_what_waited(staked, alice):
    """Where nothing proved good in all that time, costs are the first author's."""
    staked.add(alice, 0)
    staked.go_to(staked.model.sharesFrom())
    made = staked.add(alice)
    staked.announce(made, by=alice)
    staked.model.refund(*made.args, alice, sender=alice)
    assert (staked.model.claimable(alice), staked.model.pot()) == (2 * COST, 0)


def test_who_reports_itself_by_another_account_gets_its_share_of_good_data_back(
    staked, alice, bob, carol
):
    """A bound, not a defence: a quarter of all good data gives back a quarter, not a wei more."""
    staked.good(alice, 3)
    staked.good(bob)
    for first, second in ((alice, bob), (bob, alice)):
        bad = staked.add(carol, 0)
        staked.announce(bad, by=alice)
        with undone():
            told = [
                (who, staked.model.report(*bad.named, who, sender=who)) for who in (first, second)
            ]
            back = {who.address: gained(who, receipt) for who, receipt in told}
            assert back == {alice.address: bad.deposit * 3 // 4, bob.address: bad.deposit // 4}


def test_what_does_not_divide_joins_the_next_income(staked, alice, bob, carol, stranger):
    """Seven wei among three good contributions: two each, one stays, and is paid with the next."""
    for author in (alice, bob, carol):
        staked.good(author)
    for author in (alice, bob, carol):
        if staked.model.claimable(author):
            staked.model.claimRewards(author, sender=author)
    left_over = staked.model.pot()
    staked.model.payForPrediction([5], 7 - left_over, value=7 - left_over, sender=stranger)
    owed = [staked.model.claimable(one) for one in (alice, bob, carol)]
    assert (owed, staked.model.pot()) == ([2, 2, 2], 1)
    staked.model.claimRewards(alice, sender=alice)
    staked.model.payForPrediction([5], 2, value=2, sender=stranger)
    owed = [staked.model.claimable(one) for one in (alice, bob, carol)]
    assert (owed, staked.model.pot()) == ([1, 3, 3], 0)
    staked.check_books()


def test_overpayment_is_credited(staked, alice):
    """What is paid beyond the need comes back on demand, whatever becomes of the data."""
    made = staked.add(alice, excess=12_345)
    assert staked.left(made) == made.deposit
    assert staked.model.claimable(alice) == 12_345
    staked.check_books()
    assert gained(alice, staked.model.claimRewards(alice, sender=alice)) == 12_345
    staked.check_books()


def test_credit_and_rewards_add_up(staked, alice, stranger):
    """A credit before and after the first good data neither loses nor gains rewards."""
    made = staked.add(alice, excess=10)
    staked.announce(made, by=alice)
    staked.model.refund(*made.args, alice, sender=alice)
    staked.model.payForPrediction([5], 1_000, value=1_000, sender=stranger)
    staked.go_to(staked.model.sharesFrom())
    staked.add(alice, excess=5)
    assert staked.model.claimable(alice) == 10 + COST + 1_000 + COST + 5
    staked.check_books()


def test_a_free_prediction_and_an_unpaid_one(staked, stranger):
    """Predicting is free; paying nothing is refused."""
    assert staked.model.predict([5]) == 1
    staked.say(0)
    assert staked.model.predict([5]) == 0
    refusal = staked.refusal("payForPrediction", [5], 0, sender=stranger)
    assert refusal == refused("NothingPaid")


def test_forced_coins_change_nothing(staked, mocks, deployer, alice):
    """The books, not the balance, say what is whose."""
    made = staked.add(alice)
    deployer.deploy(mocks["Force"], staked.model.address, value=999)
    assert staked.model.balance == made.deposit + made.cost + 999
    assert staked.model.pot() == made.cost
    staked.announce(made, by=alice)
    assert gained(alice, staked.model.refund(*made.args, alice, sender=alice)) == made.deposit


# ---------------------------------------------------------------- accounts with code


def test_re_entry_while_being_paid(staked, puppet, stranger, alice):
    """An author with code that comes again while it is paid is refused, and gets its money once."""
    m = staked.model
    staked.good(alice)
    staked.go_to(m.lastUpdate() + 100)
    ape.chain.pending_timestamp = added_at = staked.now + 1
    needed = stake_deposit(added_at - m.lastUpdate()) + COST
    tell(puppet, m.addData, [9], 1, needed + 50, COST, sender=stranger, value=needed + 50)
    staked.go_to(added_at + REFUND)
    tell(puppet, m.announce, [9], 1, added_at, puppet, sender=stranger)
    staked.go_to(staked.now + VERDICT)
    for again in (
        (m.refund, [9], 1, added_at, puppet),
        (m.announce, [9], 1, added_at, puppet),
        (m.object, [9], 1, added_at, puppet),
        (m.claimRewards, puppet),
        (m.takeOver, [9], 1, added_at, puppet, puppet),
    ):
        with undone():
            puppet.prepare(CALLS, m, again[0].encode_input(*again[1:]), 0, sender=stranger)
            receipt = tell(puppet, m.refund, [9], 1, added_at, puppet, sender=stranger)
            assert gained(puppet, receipt) == needed - COST
            assert (puppet.succeeded(), puppet.refused()) == (0, 1)
            assert decode(puppet.reason()) == refused("ReentrancyGuardReentrantCall")
    puppet.prepare(CALLS, m, m.claimRewards.encode_input(puppet), 0, sender=stranger)
    assert gained(puppet, tell(puppet, m.claimRewards, puppet, sender=stranger)) == 50
    assert (puppet.succeeded(), puppet.refused()) == (0, 1)


def test_an_author_that_takes_no_coins_harms_nobody_else(staked, puppet, stranger, alice):
    """Its own refund fails, and goes elsewhere where it says so; others are paid."""
    m = staked.model
    made = staked.add(alice)
    ape.chain.pending_timestamp = added_at = staked.now + 100
    tell(puppet, m.addData, [9], 1, 10**18, COST, sender=stranger, value=10**18)
    puppet.prepare(REVERTS, m, b"", 0, sender=stranger)
    staked.announce(made, by=alice)
    tell(puppet, m.announce, [9], 1, added_at, puppet, sender=stranger)
    staked.go_to(staked.now + VERDICT)
    data = m.refund.encode_input([9], 1, added_at, puppet)
    outcome = refused("Error", "not wanted")
    assert refusal(puppet.act, m.address, data, 0, sender=stranger) == outcome
    assert gained(alice, m.refund(*made.args, alice, sender=alice)) == made.deposit
    receipt = tell(puppet, m.refund, [9], 1, added_at, alice, sender=stranger)
    assert gained(alice, receipt) > 0


def test_a_busy_market_balances_to_the_wei(staked, alice, bob, carol, stranger):
    """After each round of a mixed run the books balance; at its end all but the dust is paid."""
    m = staked.model
    staked.people.add(stranger)
    for turn in range(6):
        batch = [
            staked.add(alice, 1, excess=turn),
            staked.add(bob, 1),
            staked.add(carol, 0),
            staked.add(carol, turn % 2),
        ]
        staked.announce(batch[0], by=alice)
        m.refund(*batch[0].args, alice, sender=alice)
        m.payForPrediction([5], 1_001 + turn, value=1_001 + turn, sender=stranger)
        staked.announce(batch[1], by=bob)
        if turn % 3:
            m.refund(*batch[1].args, bob, sender=bob)
        staked.announce(batch[2], by=alice)
        m.report(*batch[2].named, alice, sender=alice)
        if staked.left(batch[2]) and m.goodData(bob):
            m.report(*batch[2].named, bob, sender=bob)
        if turn % 2:
            m.claimRewards(alice, sender=alice)
        staked.check_books()
    staked.go_to(staked.now + ANYONE)
    for made in staked.contributions:
        if staked.left(made):
            m.takeOver(*made.named, stranger, sender=stranger)
    for person in (alice, bob, carol):
        if m.claimable(person):
            m.claimRewards(person, sender=person)
    assert m.balance == m.pot() < m.totalGoodData()
