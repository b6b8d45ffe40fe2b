"""A submission cost tied to the information in the data: what surprises the model is dear."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path

import ape
import numpy as np
import pytest
from ape.utils import ZERO_ADDRESS

from tests.kit.driver import gained
from tests.kit.refusals import deployment_refusal, refused
from tests.kit.solidity import compile_contracts
from tests.sum.model_driver import (
    COST_WEIGHT,
    DAY,
    MOST,
    OWNER,
    SUBMISSION_COST,
    TASK,
    UNIT,
    WAITS,
    stake_deposit,
)

INFORMATION = "tests/sum/mocks/Information.sol"
ACCURACY = 7_700
AVERAGE = SUBMISSION_COST * UNIT
ONE = 10_000


def bits_of(n, d):
    """floor(2^32 * log2(n / d)), from a logarithm of 60 digits."""
    with localcontext(prec=60):
        bits = (Decimal(n) / d).ln() / Decimal(2).ln() * 2**32
        # The logarithm of a power of two comes out a little below the whole number that it is.
        return math.floor(bits + Decimal("1e-30"))


def closed_form(accuracy, classes):
    """(agree, disagree, entropy) in 2^-32 bits, as the rule is stated."""
    agree = bits_of(ONE, accuracy)
    disagree = bits_of(ONE * (classes - 1), ONE - accuracy)
    return agree, disagree, (accuracy * agree + (ONE - accuracy) * disagree) // ONE


@pytest.fixture
def make_entropy(project, deployer):
    """Makes the incentive for a classifier."""

    def make(classifier, accuracy=ACCURACY):
        terms = (COST_WEIGHT, SUBMISSION_COST, UNIT, WAITS, classifier, accuracy)
        return project.EntropyIncentive.deploy(*terms, sender=deployer)

    return make


@pytest.fixture
def entropy(make_entropy, make_model, make_classifier):
    """A fresh model with this incentive, which says 1 of every sample."""
    classifier = make_classifier()
    return make_model(make_entropy(classifier), classifier)


@pytest.fixture
def perceptron(make_entropy, make_model, project, deployer):
    """A fresh model that learns: 300 features, 10 of them active at most, and no knowledge yet."""
    classifier = project.SparsePerceptron.deploy(deployer, 300, 10, sender=deployer)
    driver = make_model(make_entropy(classifier), classifier)
    classifier.open(driver.model, sender=deployer)
    return driver


# ---------------------------------------------------------------- the rule


def test_bits_are_logarithms(project, deployer):
    """To the last bit those of 60 digits, near those of floating point, for all that is taken."""
    text = (Path(project.path) / INFORMATION).read_text()
    contract = compile_contracts({"Information": INFORMATION}, {INFORMATION: text})["Information"]
    rng = np.random.default_rng(0)
    quotients = [(2, 1), (8, 1), (3, 2), (ONE, 9_999), (7 * ONE, 1), (2**128 - 1, 1)]
    for _ in range(200):
        n = int.from_bytes(rng.bytes(16)) >> int(rng.integers(0, 100))
        d = int.from_bytes(rng.bytes(16)) >> int(rng.integers(0, 128))
        if n != d:
            quotients.append((max(n, d), max(1, min(n, d))))
    found = deployer.deploy(contract).bitsOfAll(*map(list, zip(*quotients, strict=True)))
    for (n, d), bits in zip(quotients, found, strict=True):
        assert bits == bits_of(n, d)
        assert bits / 2**32 == pytest.approx(math.log2(n / d), abs=2**-30)


@pytest.mark.parametrize("classes", [2, 3, 8])
def test_costs_are_the_rules_to_the_wei(make_entropy, make_classifier, deployer, classes):
    """Surprise over entropy, times what is paid on average; chance and perfection at the edges."""
    classifier = make_classifier()
    classifier.count(classes, sender=deployer)
    for accuracy in (ONE // classes + 1, ACCURACY, 9_200, 9_999):
        incentive = make_entropy(classifier, accuracy)
        agree, disagree, bits = closed_form(accuracy, classes)
        costs = incentive.agreeCost(), incentive.disagreeCost()
        assert costs == (AVERAGE * agree // bits, AVERAGE * disagree // bits)
        assert tuple(incentive.required([5], 1, 0)) == (UNIT, costs[0])
        assert tuple(incentive.required([5], 0, 0)) == (UNIT, costs[1])


def test_the_example_of_the_rule(entropy):
    """Two classes, a model right in 77 of 100: half the cost for what it says, else 2.7 times."""
    assert entropy.incentive.agreeCost() / AVERAGE == pytest.approx(0.485, abs=5e-4)
    assert entropy.incentive.disagreeCost() / AVERAGE == pytest.approx(2.725, abs=5e-4)


@pytest.mark.parametrize("classes", [2, 8])
def test_honest_data_pays_the_constant_cost_on_average(
    make_entropy, make_classifier, deployer, classes
):
    """Over a channel as good as stated the mean is submissionCost units, but for the floors."""
    classifier = make_classifier()
    classifier.count(classes, sender=deployer)
    for accuracy in (ONE // classes + 1, ACCURACY, 9_999):
        incentive = make_entropy(classifier, accuracy)
        right = Fraction(accuracy, ONE)
        mean = right * incentive.agreeCost() + (1 - right) * incentive.disagreeCost()
        bits = closed_form(accuracy, classes)[2]
        assert AVERAGE - 1 < mean < AVERAGE * (1 + Fraction(1, bits))


def test_the_better_the_model_the_dearer_a_lie(make_entropy, make_classifier):
    """With the stated accuracy contradiction becomes dearer and confirmation cheaper."""
    classifier = make_classifier()
    costs = [
        (incentive.agreeCost(), incentive.disagreeCost())
        for incentive in (
            make_entropy(classifier, accuracy) for accuracy in (5_001, 6_000, 7_700, 9_000, 9_999)
        )
    ]
    agree, disagree = zip(*costs, strict=True)
    assert AVERAGE > agree[0] > agree[1] > agree[2] > agree[3] > agree[4] > 0
    assert AVERAGE < disagree[0] < disagree[1] < disagree[2] < disagree[3] < disagree[4]


def test_terms_can_be_read(entropy):
    """What the incentive was made with, those of the stake incentive among it."""
    one = entropy.incentive
    assert (one.costWeight(), one.submissionCost(), one.unit(), one.statedAccuracy()) == (
        COST_WEIGHT, SUBMISSION_COST, UNIT, ACCURACY,
    )  # fmt: skip
    assert one.classifier() == entropy.classifier.address
    assert tuple(one.waits(skip_trace=True)) == WAITS


# ---------------------------------------------------------------- terms that are refused


@pytest.mark.parametrize("classes", [2, 3, 8])
def test_an_accuracy_no_better_than_chance_or_perfect(project, deployer, make_classifier, classes):
    """Surprise and entropy would be nothing, or without bound."""
    classifier = make_classifier()
    classifier.count(classes, sender=deployer)
    least = ONE // classes + 1
    for accuracy in (0, least - 1, least, 9_999, ONE, 2**256 - 1):
        outcome = refused("AccuracyOutOfRange", accuracy, least, 9_999)
        terms = (COST_WEIGHT, SUBMISSION_COST, UNIT, WAITS, classifier, accuracy)
        found = deployment_refusal(project.EntropyIncentive, *terms, sender=deployer)
        assert found == (None if least <= accuracy <= 9_999 else outcome)


def test_what_is_no_classifier(project, deployer, make_classifier, alice):
    """Without code, or with classes among which there is nothing to tell apart or too much."""
    classifier = make_classifier()
    terms = (COST_WEIGHT, SUBMISSION_COST, UNIT, WAITS)
    outcome = deployment_refusal(project.EntropyIncentive, *terms, alice, ACCURACY, sender=deployer)
    assert outcome == refused("NoCode", alice)
    for classes, expected in (
        (0, refused("TooFewClasses", 0, 2)),
        (1, refused("TooFewClasses", 1, 2)),
        (2, None),
        (2**128, refused("NotAProbability", ONE - ACCURACY, ONE * (2**128 - 1))),
    ):
        classifier.count(classes, sender=deployer)
        found = deployment_refusal(
            project.EntropyIncentive, *terms, classifier, ACCURACY, sender=deployer
        )
        assert found == expected


def test_amounts_that_do_not_fit(project, deployer, make_classifier):
    """The dearer cost has the place of the constant one, and the stake incentive's bounds hold."""
    classifier = make_classifier()
    agree, disagree, bits = closed_form(9_999, 2)
    assert agree < bits
    most = 2**80 - 1
    fits = ((most + 1) * bits - 1) // disagree
    for (weight, cost, unit, waits), outcome in (
        ((0, fits, 1, WAITS), None),
        (
            (0, fits + 1, 1, WAITS),
            refused("AmountTooLarge", (fits + 1) * disagree // bits, most),
        ),
        ((0, 2**128 - 1, 2**74 - 1, WAITS), refused(
            "AmountTooLarge", (2**128 - 1) * (2**74 - 1), most
        )),
        ((2**74 // 60 + 1, 1, 1, WAITS), refused(
            "AmountTooLarge", 60 * (2**74 // 60 + 1), 2**74 - 1
        )),
        ((1, 1, 0, WAITS), refused("UnitZero")),
        ((1, 1, 1, (DAY, DAY + 1, DAY, DAY, DAY, 60)), refused(
            "WaitsOutOfOrder", 3 * DAY + 1, DAY, DAY
        )),
    ):  # fmt: skip
        terms = (weight, cost, unit, waits, classifier, 9_999)
        assert deployment_refusal(project.EntropyIncentive, *terms, sender=deployer) == outcome


def test_a_model_of_another_classifier(entropy, make_classifier, project, deployer):
    """Its surprise would be measured against the wrong model: refused when the two are joined."""
    other = make_classifier()
    parts = other, entropy.incentive, ZERO_ADDRESS, deployer, TASK
    outcome = deployment_refusal(project.SharedModel, *parts, sender=deployer)
    assert outcome == refused("IncentiveForAnother", entropy.incentive, other)
    assert entropy.incentive.servesClassifier(entropy.classifier)
    assert not entropy.incentive.servesClassifier(other)


# ---------------------------------------------------------------- contributions


@pytest.mark.parametrize("label", [1, 0], ids=["confirmed", "contradicted"])
def test_required_says_what_add_data_takes(entropy, alice, label):
    """One wei less is refused; what it says is taken, the cost into the pot."""
    entropy.go_to(entropy.model.lastUpdate() + 100)
    needed = sum(entropy.model.required([8], label))
    price = entropy.incentive.agreeCost() if label == 1 else entropy.incentive.disagreeCost()
    assert needed == stake_deposit(entropy.now - entropy.model.lastUpdate()) + price
    outcome = refused("DepositTooSmall", needed - 1, needed)
    sent = {"sender": alice, "value": needed - 1}
    assert entropy.refusal("addData", [8], label, needed - 1, MOST, **sent) == outcome
    sent["value"] += 1
    assert entropy.refusal("addData", [8], label, needed, MOST, **sent) is None
    made = entropy.add(alice, label)
    assert (made.deposit, made.cost) == (stake_deposit(100), price)
    assert entropy.model.pot() == price
    entropy.check_books()


def test_costs_reach_those_with_good_data(entropy, alice, bob):
    """Who was right is paid by who comes after, and more by who contradicts."""
    entropy.good(alice)
    for label, cost in ((1, entropy.incentive.agreeCost()), (0, entropy.incentive.disagreeCost())):
        before = entropy.model.claimable(alice)
        entropy.add(bob, label)
        assert entropy.model.claimable(alice) == before + cost
    own, agree, disagree = (one.cost for one in entropy.contributions)
    receipt = entropy.model.claimRewards(alice, sender=alice)
    assert gained(alice, receipt) == own + agree + disagree
    entropy.check_books()


def test_all_else_is_the_stake_incentive(entropy, alice, bob):
    """The deposit returns, goes to a reporter or is taken over, whatever the cost was."""
    entropy.good(bob)
    right, wrong, left = entropy.add(alice), entropy.add(alice, 0), entropy.add(alice, 0)
    entropy.announce(right, by=alice)
    assert gained(alice, entropy.model.refund(*right.args, alice, sender=alice)) == right.deposit
    outcome = refused("ModelDisagrees", 1, 0)
    assert entropy.refusal("announce", *wrong.named, sender=alice) == outcome
    entropy.announce(wrong, by=bob)
    assert gained(bob, entropy.model.report(*wrong.named, bob, sender=bob)) == wrong.deposit // 2
    entropy.go_to(left.added_at + OWNER)
    receipt = entropy.model.takeOver(*left.named, entropy.owner, sender=entropy.owner)
    assert gained(entropy.owner, receipt) == left.deposit
    entropy.check_books()


def test_samples_and_labels_out_of_range(perceptron, alice):
    """The classifier's errors by name, from the contribution and from the question alike."""
    perceptron.go_to(perceptron.model.lastUpdate() + 100)
    sent = {"sender": alice, "value": 10**18}
    for features, outcome in (
        ([1], refused("BitmapLength", 1, 2)),
        ([1, 1 << 44], refused("FeatureOutOfRange", 300)),
        ([2**11 - 1, 0], refused("TooManyFeatures", 11, 10)),
    ):
        assert perceptron.refusal("required", features, 1, sender=alice) == outcome
        assert perceptron.refusal("addData", features, 1, 10**18, MOST, **sent) == outcome
    outcome = refused("LabelOutOfRange", 2, 2)
    assert perceptron.refusal("addData", [1, 0], 2, 10**18, MOST, **sent) == outcome


def test_the_model_changes_its_mind_before_the_data_arrives(entropy, alice):
    """Who takes only the lesser cost is refused, whatever it sent; who takes the greater is in."""
    entropy.go_to(entropy.model.lastUpdate() + 100)
    deposit, cost = entropy.model.required([8], 1)
    entropy.say(0)
    needed = sum(entropy.model.required([8], 1))
    assert needed <= deposit + entropy.incentive.disagreeCost()
    dear = entropy.incentive.disagreeCost()
    for value in (deposit + cost, 10**18):
        sent = {"sender": alice, "value": value}
        assert entropy.refusal("addData", [8], 1, value, dear - 1, **sent) == refused(
            "CostTooHigh", dear, dear - 1
        )
    outcome = refused("DepositTooSmall", deposit + cost, needed)
    sent = {"sender": alice, "value": deposit + cost}
    assert entropy.refusal("addData", [8], 1, deposit + cost, dear, **sent) == outcome
    entropy.say(1)
    spare = entropy.incentive.disagreeCost() - entropy.incentive.agreeCost()
    entropy.add(alice, 1, excess=spare)
    assert entropy.model.claimable(alice) == spare


# ---------------------------------------------------------------- what the rule does not stop


def test_an_echo_pays_the_least_and_is_paid(entropy, alice, bob):
    """The model is wrong: who echoes it pays the least and lives on who honestly corrects it."""
    entropy.say(0)
    echoes = [entropy.add(bob, 0) for _ in range(3)]
    assert {one.cost for one in echoes} == {entropy.incentive.agreeCost()}
    entropy.announce(*echoes, by=bob)
    for one in echoes:
        entropy.model.refund(*one.args, bob, sender=bob)
    entropy.go_to(entropy.model.sharesFrom())
    paid_by_honest = sum(entropy.add(alice, 1).cost for _ in range(2))
    assert paid_by_honest == 2 * entropy.incentive.disagreeCost()
    earned = gained(bob, entropy.model.claimRewards(bob, sender=bob))
    assert earned == paid_by_honest + sum(one.cost for one in echoes)


def test_a_lie_that_is_believed_is_cheap(perceptron, alice, bob):
    """The first contradiction is dear; once the model has learnt it, the truth is."""
    cheap, dear = perceptron.incentive.agreeCost(), perceptron.incentive.disagreeCost()
    for number, (author, label, cost) in enumerate((
        (bob, 1, dear), (bob, 1, cheap), (alice, 0, dear), (alice, 0, cheap), (bob, 1, dear),
    )):  # fmt: skip
        # Each sample comes once; these share all features but one.
        sample = [7 | 8 << number, 0]
        ape.chain.pending_timestamp = perceptron.model.lastUpdate() + 100
        sent = {"sender": author, "value": 10**15}
        receipt = perceptron.model.addData(sample, label, 10**15, MOST, **sent)
        (log,) = perceptron.model.DataAdded.from_receipt(receipt)
        assert log.cost == cost
