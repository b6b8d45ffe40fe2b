"""A model whose currency is an ERC-20, money that goes elsewhere, and what logs tell of a model."""

from __future__ import annotations

import ape
import pytest
from ape.utils import ZERO_ADDRESS

from tests.kit.driver import balance_of, gained
from tests.kit.mock_contracts import deploy_token
from tests.kit.refusals import refused
from tests.sum.model_driver import (
    ANYONE,
    COST_WEIGHT,
    MOST,
    SUBMISSION_COST,
    TASK,
    UNIT,
    VERDICT,
    WAITS,
    Contribution,
    stake_deposit,
)

COST = SUBMISSION_COST * UNIT
NEEDED = stake_deposit(100) + COST
ACCURACY = 7_700


@pytest.fixture
def make_priced(make_model, stake, mocks, deployer, alice, bob):
    """Makes a model in that token, which may take what Alice and Bob have of it."""

    def make(name):
        token = deploy_token(mocks[name], deployer, (alice, bob))
        driver = make_model(stake, token=token)
        for holder in (alice, bob):
            token.approve(driver.model, MOST, sender=holder)
        return driver, token

    return make


def add(driver, author, label=1):
    """Contributes a fresh sample; as the driver does it, but for the currency."""
    features, at = [len(driver.contributions) + 1], driver.model.lastUpdate() + 100
    ape.chain.pending_timestamp = at
    driver.model.addData(features, label, NEEDED, COST, sender=author)
    made = Contribution(tuple(features), label, at, author, NEEDED - COST, COST)
    driver.contributions.append(made)
    driver.people.add(author)
    return made


@pytest.mark.parametrize("name", ["PlainToken", "SilentToken"])
def test_a_token_goes_the_way_of_the_coin(make_priced, alice, bob, stranger, name):
    """Deposit, refund, report, take-over, prediction and rewards, all in the token, to the unit."""
    driver, token = make_priced(name)
    model = driver.model

    def got(before, account=stranger):
        return balance_of(account, token) - before

    held = balance_of(alice, token)
    good = add(driver, alice)
    assert held - balance_of(alice, token) == balance_of(model, token) == NEEDED
    bad, left = add(driver, bob, 0), add(driver, bob, 0)
    driver.announce(good, by=alice)
    model.refund(*good.args, stranger, sender=alice)
    assert got(0) == good.deposit
    model.payForPrediction([5], 1_000, sender=bob)
    driver.announce(bad, by=alice)
    model.report(*bad.named, stranger, sender=alice)
    assert got(good.deposit) == bad.deposit
    driver.go_to(left.added_at + ANYONE)
    model.takeOver(*left.named, stranger, sender=bob)
    model.claimRewards(stranger, sender=alice)
    assert got(good.deposit + bad.deposit + left.deposit) == 3 * COST + 1_000
    assert balance_of(model, token) == model.pot() == balance_of(model) == 0


def test_no_more_of_a_token_is_taken_than_is_needed(make_priced, alice):
    """What a caller would pay at most stays with it; the coin is not taken beside it."""
    driver, token = make_priced("PlainToken")
    held = balance_of(alice, token)
    ape.chain.pending_timestamp = driver.model.lastUpdate() + 100
    driver.model.addData([1], 1, 2 * NEEDED, COST, sender=alice)
    assert held - balance_of(alice, token) == NEEDED
    assert driver.model.claimable(alice) == 0
    outcome = refused("WrongPayment", 1, 0)
    sent = {"sender": alice, "value": 1}
    assert driver.refusal("addData", [2], 1, 10**18, COST, **sent) == outcome


def test_a_token_that_keeps_a_share_is_refused(make_priced, alice):
    driver, _ = make_priced("FeeToken")
    driver.go_to(driver.model.lastUpdate() + 100)
    refusal = driver.refusal("addData", [1], 1, 10**18, COST, sender=alice)
    assert refusal.name == "TokenTakesFee"


def test_a_token_that_charges_the_sender_on_top_is_refused(make_priced, alice):
    """It would charge the model, too, and the last to be paid would find too little."""
    driver, token = make_priced("SurchargeToken")
    driver.go_to(driver.model.lastUpdate() + 100)
    outcome = refused("TokenTakesFee", NEEDED + NEEDED // 100, NEEDED)
    assert driver.refusal("addData", [1], 1, 10**18, COST, sender=alice) == outcome
    token.setFeePercent(0, sender=alice)
    assert driver.refusal("addData", [1], 1, 10**18, COST, sender=alice) is None


def test_a_token_that_charges_later_pays_nobody_out_of_what_is_others(make_priced, alice, bob):
    """As long as it does; then everybody is paid, to the unit."""
    driver, token = make_priced("SurchargeToken")
    token.setFeePercent(0, sender=alice)
    made = add(driver, alice), add(driver, bob)
    for one in made:
        driver.go_to(driver.due(one, one.author))
        driver.model.announce(*one.named, sender=one.author)
    driver.go_to(driver.now + VERDICT)
    token.setFeePercent(1, sender=alice)
    for one in made:
        outcome = refused("TokenTakesFee", one.deposit + one.deposit // 100, one.deposit)
        call = "refund", *one.args, one.author
        assert driver.refusal(*call, sender=one.author) == outcome
    token.setFeePercent(0, sender=alice)
    for one in made:
        driver.model.refund(*one.args, one.author, sender=one.author)
    driver.go_to(driver.model.sharesFrom())
    for one in made:
        driver.model.claimRewards(one.author, sender=one.author)
    assert balance_of(driver.model, token) == 0


def test_the_coin_that_is_sent_is_the_payment_that_is_named(staked, alice, stranger):
    """Neither more nor less, for a lesson and for a prediction."""
    staked.good(alice)
    for value in (10**18 - 1, 10**18 + 1):
        outcome = refused("WrongPayment", value, 10**18)
        for call in (("addData", [9], 1, 10**18, COST), ("payForPrediction", [9], 10**18)):
            assert staked.refusal(*call, sender=stranger, value=value) == outcome


def test_money_goes_where_its_owner_says(staked, alice, bob, carol):
    """And nowhere else: to nobody is refused, for each of the calls that pay."""
    staked.good(alice)
    good, bad, left = staked.add(bob), staked.add(bob, 0), staked.add(bob, 0)
    staked.announce(good, by=bob)
    staked.announce(bad, by=alice)
    staked.go_to(left.added_at + ANYONE)
    for name, args, who, amount in (
        ("refund", good.args, bob, good.deposit),
        ("report", bad.named, alice, bad.deposit // 2),
        ("takeOver", left.named, bob, left.deposit),
        ("claimRewards", (), alice, staked.model.claimable(alice)),
    ):
        outcome = refused("NoReceiver")
        assert staked.refusal(name, *args, ZERO_ADDRESS, sender=who) == outcome
        receipt = getattr(staked.model, name)(*args, carol, sender=who)
        assert gained(carol, receipt) >= amount > 0
        assert gained(who, receipt) == 0
    staked.check_books()


def test_logs_alone_tell_how_a_model_was_made(make_model, project, deployer):
    """Currency, shape, terms and waits are in the events of the four constructors."""
    first = ape.chain.blocks.height + 1
    classifier = project.SparsePerceptron.deploy(deployer, 300, 10, sender=deployer)
    terms = COST_WEIGHT, SUBMISSION_COST, UNIT
    incentive = project.EntropyIncentive.deploy(
        *terms, WAITS, classifier, ACCURACY, sender=deployer
    )
    model = make_model(incentive, classifier).model
    for contract, name, told in (
        (classifier, "ClassifierCreated", (deployer, 300, 10, 2)),
        (incentive, "WaitsFixed", ([*WAITS],)),
        (incentive, "StakeFixed", terms),
        (incentive, "SurpriseFixed", (classifier, ACCURACY)),
        (model, "ModelCreated", (classifier, incentive, ZERO_ADDRESS, deployer, TASK)),
    ):
        (log,) = getattr(contract, name).range(first, ape.chain.blocks.height + 1)
        values = list(log.event_arguments.values())
        assert values == [getattr(one, "address", one) for one in told]


def test_all_parts_tell_their_version(staked, project, deployer):
    """Who reads another version's events notices."""
    classifier = project.NaiveBayes.deploy(deployer, 300, 10, 2, sender=deployer)
    points = project.PointsIncentive.deploy(WAITS, sender=deployer)
    parts = staked.model, staked.incentive, points, classifier
    assert [one.version() for one in parts] == [4, 2, 2, 2]
