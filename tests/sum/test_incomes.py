"""Who would take what others paid, or have them pay for nothing; and where the defence is out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ape
import pytest
from ape.utils import ZERO_ADDRESS

from tests.kit.refusals import refusal
from tests.kit.weakened import check_attack, compile_switched
from tests.sum.model_driver import (
    COST_WEIGHT,
    MOST,
    SUBMISSION_COST,
    TASK,
    UNIT,
    WAITS,
    ModelDriver,
)
from tests.sum.weakened import (
    ALL_INCENTIVES,
    ALL_MODELS,
    BAYES,
    COUNTS,
    INCENTIVE,
    INCOMES,
    MODEL,
    PRICES,
)

FEATURES = 16
ACCURACY = 7_700
TOTALS = 3
"""The slot of the model's totals."""
FULL = 65_535
"""Samples of a class that has learnt all it can."""
MUCH = 2**85
"""Of an account that circulates it, in wei."""
COINS = 10**18
"""More than anything costs here; the rest is credited."""

TERMS = COST_WEIGHT, SUBMISSION_COST, UNIT, WAITS
COPIES = {MODEL: INCOMES, INCENTIVE: PRICES, BAYES: COUNTS}
COMPILED = {MODEL: ALL_MODELS, INCENTIVE: ALL_INCENTIVES, BAYES: COUNTS}


def takes_the_first_days_income(driver: ModelDriver, alice: Any, mallory: Any) -> bool:
    """One contribution of five, the first to be refunded, has more than half of all costs."""
    made = [driver.add(mallory), *(driver.add(alice) for _ in range(4))]
    for one in made:
        driver.announce(one, by=one.author)
        driver.model.refund(*one.args, one.author, sender=one.author)
    driver.go_to(driver.model.sharesFrom())
    costs = sum(one.cost for one in made)
    return int(driver.model.claimable(mallory)) > costs // 2


def keeps_everybody_out(driver: ModelDriver, alice: Any, mallory: Any) -> bool:
    """An echo just before each of Alice's contributions, all of which are refused."""
    sent = {"sender": alice, "value": COINS}
    for number in range(3):
        driver.add(mallory)
        if not refusal(driver.model.addData, [1 << 100 | number], 1, COINS, MOST, **sent):
            return False
    return True


def raises_the_price(driver: ModelDriver, alice: Any, mallory: Any) -> bool:
    """Alice takes the cost that she was told; before her call lands, the model turns."""
    driver.go_to(driver.model.lastUpdate() + 100)
    cost = driver.model.required([1], 1)[1]
    driver.add(mallory, 0)
    driver.say(0)
    before = driver.model.pot()
    call = driver.model.addData, [1], 1, COINS, cost
    if refusal(*call, sender=alice, value=COINS):
        return False
    driver.model.addData([1], 1, COINS, cost, sender=alice, value=COINS)
    return bool(driver.model.pot() - before > cost)


def locks_a_payment(driver: ModelDriver, alice: Any, _: Any) -> bool:
    """The classifier is not open, so that no data ever proves good, and nobody is paid."""
    if refusal(driver.model.payForPrediction, [1], COINS, sender=alice, value=COINS):
        return False
    driver.model.payForPrediction([1], COINS, sender=alice, value=COINS)
    return bool(driver.model.pot() == COINS)


def circulate(driver: ModelDriver, mallory: Any) -> None:
    """Who owns all good data pays for predictions and takes the money back, 2^88 wei in all."""
    provider = ape.chain.provider
    provider.set_balance(mallory.address, 2 * MUCH)
    for _ in range(2**88 // MUCH):
        slot = int.from_bytes(provider.web3.eth.get_storage_at(driver.model.address, TOTALS), "big")
        paid = min(MUCH, 2**88 - 1 - (slot >> 168))
        driver.model.payForPrediction([1], paid, sender=mallory, value=paid)
        driver.model.claimRewards(mallory, sender=mallory)


def fills_the_pot(driver: ModelDriver, alice: Any, mallory: Any) -> bool:
    """Mallory has lost nothing but gas, and nobody contributes any more."""
    driver.good(mallory)
    circulate(driver, mallory)
    return bool(refusal(driver.model.addData, [1 << 9], 1, COINS, MOST, sender=alice, value=COINS))


def fills_the_index(driver: ModelDriver, alice: Any, mallory: Any) -> bool:
    """From Alice's refund on nobody earns anything by what others pay."""
    driver.good(mallory)
    made = driver.add(alice)
    circulate(driver, mallory)
    driver.announce(made, by=alice)
    call = driver.model.refund, *made.args, alice
    if refusal(*call, sender=alice):
        return True
    driver.model.refund(*made.args, alice, sender=alice)
    before = driver.model.claimable(alice)
    driver.model.payForPrediction([1], COINS, sender=mallory, value=COINS)
    if driver.model.claimable(alice) - before != COINS // 2:
        return True
    # All of it is there.
    return any(refusal(driver.model.claimRewards, one, sender=one) for one in (alice, mallory))


def charges_for_nothing(driver: ModelDriver, alice: Any, _: Any) -> bool:
    """Alice pays for a lesson of a class that has learnt all it can."""
    words = 0, driver.classifier.wordCount()
    before = driver.classifier.exportWords(*words)
    if refusal(driver.model.addData, [1], 1, COINS, MOST, sender=alice, value=COINS):
        return False
    driver.model.addData([1], 1, COINS, MOST, sender=alice, value=COINS)
    return bool(driver.classifier.exportWords(*words) == before and driver.model.pot() > 0)


@dataclass(frozen=True)
class Attack:
    """What is played, and by what kind of classifier and incentive the model is made."""

    play: Callable[[ModelDriver, Any, Any], bool]
    classifier: str = "told"
    incentive: str = "stake"


ATTACKS = {
    "shares from the start": Attack(takes_the_first_days_income),
    "takes one in a second": Attack(keeps_everybody_out),
    "takes any cost": Attack(raises_the_price, incentive="entropy"),
    "keeps a full pot": Attack(fills_the_pot),
    "counts to the end": Attack(fills_the_index),
    "takes money for nobody": Attack(locks_a_payment, classifier="not open"),
    "charges for a full class": Attack(charges_for_nothing, classifier="full"),
}


def test_every_defence_has_its_attack():
    assert ATTACKS.keys() == {name for some in COPIES.values() for name in some}


@pytest.fixture
def make(project, deployer, make_classifier) -> Callable[..., ModelDriver]:
    """Makes the model that an attack is played on; `weakness` names the defence that it lacks."""

    def make_(attack: Attack, weakness: str | None) -> ModelDriver:
        def container(name: str, path: str) -> Any:
            if weakness not in COPIES[path]:
                return getattr(project, name)
            return compile_switched(COMPILED[path], path)[weakness]

        sizes = deployer, FEATURES, FEATURES
        if attack.classifier == "told":
            classifier = make_classifier()
        elif attack.classifier == "full":
            classifier = deployer.deploy(container("NaiveBayes", BAYES), *sizes, 2)
            classifier.initialise(2, [FULL << 64], sender=deployer)
        else:
            classifier = project.SparsePerceptron.deploy(*sizes, sender=deployer)
        if attack.incentive == "entropy":
            terms = *TERMS, classifier, ACCURACY
            incentive = project.EntropyIncentive.deploy(*terms, sender=deployer)
        else:
            incentive = deployer.deploy(container("StakeIncentive", INCENTIVE), *TERMS)
        parts = classifier, incentive, ZERO_ADDRESS, deployer, TASK
        model = deployer.deploy(container("SharedModel", MODEL), *parts)
        if attack.classifier == "full":
            classifier.open(model, sender=deployer)
        return ModelDriver(model, classifier, incentive, deployer)

    return make_


@pytest.mark.parametrize("weakness", ATTACKS)
def test_the_attack_needs_the_weakness(make, alice, bob, weakness):
    attack = ATTACKS[weakness]
    check_attack(attack.play, make(attack, None), make(attack, weakness), alice, bob)
