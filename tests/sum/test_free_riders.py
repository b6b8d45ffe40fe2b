"""Who would earn without teaching anything, or bar those who do; and where the defence is out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ape
import pytest
from ape.utils import ZERO_ADDRESS

from offchain.sum.members import Members
from tests.kit.weakened import check_attack, compile_switched
from tests.sum.model_driver import ANYONE, AUTHOR, MOST, REFUND, TASK, VERDICT, WAITS
from tests.sum.weakened import (
    ALL_MODELS,
    CLASSIFIERS,
    GROUPS,
    MODEL,
    PERCEPTRON,
    POINTS,
    REPEATS,
)

FEATURES = 40
VALUE = 10**18
PRICE = 9_000
"""Wei, of a prediction."""


@dataclass
class Market:
    """A model of real contracts that has been taught by nobody."""

    model: Any
    value: int

    def add(self, author: Any, features: list[int], label: int) -> int | None:
        """Contributes and says when; None if that is refused."""
        ape.chain.pending_timestamp = self.now + 100
        try:
            self.model.addData(features, label, self.value, MOST, value=self.value, sender=author)
        except ape.exceptions.ContractLogicError:
            return None
        return int(self.model.lastUpdate())

    def announce(self, who: Any, named: tuple[Any, ...], wait: int) -> None:
        """Announces a verdict so long after it was added, and goes to when it may be claimed."""
        ape.chain.pending_timestamp = max(named[2] + wait, self.now + 100)
        self.model.announce(*named, sender=who)
        ape.chain.pending_timestamp = self.now + VERDICT

    def refund(self, author: Any, features: list[int], label: int, added_at: int) -> None:
        """The author's, as soon as it may."""
        self.announce(author, (features, label, added_at, author), REFUND)
        self.model.refund(features, label, added_at, author, sender=author)

    def prove_good(self, author: Any, features: list[int]) -> bool:
        """What the model says already, contributed and refunded; whether it counts as good."""
        label = self.model.predict(features)
        added_at = self.add(author, features, label)
        if added_at is None:
            return False
        good = self.model.goodData(author)
        self.refund(author, features, label, added_at)
        return self.model.goodData(author) > good

    @property
    def now(self) -> int:
        """Seconds since 1970, of the latest block."""
        return int(ape.chain.blocks.head.timestamp)


@pytest.fixture
def open_market(project, deployer, alice, stake) -> Callable[..., Market]:
    """Opens a model; `weakness` names the defence that it lacks.

    points: alice is a group of her own, without money.
    """

    def group(weakness: str | None) -> Any:
        points = project.PointsIncentive
        if weakness is not None:
            points = compile_switched(GROUPS, POINTS)[weakness]
        incentive = deployer.deploy(points, WAITS)
        members = Members(ape.chain.chain_id, incentive.address, [str(alice.address)])
        incentive.nameMembers(members.root, 1, sender=deployer)
        incentive.join(0, members.path(0), sender=alice)
        return incentive

    def open_(weakness: str | None = None, *, points: bool = False) -> Market:
        incentive = group(weakness) if points else stake
        perceptron, model = project.SparsePerceptron, project.SharedModel
        if weakness in CLASSIFIERS:
            perceptron = compile_switched(CLASSIFIERS, PERCEPTRON)[weakness]
        if weakness in REPEATS:
            model = compile_switched(ALL_MODELS, MODEL)[weakness]
        classifier = deployer.deploy(perceptron, deployer, FEATURES, FEATURES)
        made = deployer.deploy(model, classifier, incentive, ZERO_ADDRESS, deployer, TASK)
        classifier.open(made, sender=deployer)
        return Market(made, 0 if points else VALUE)

    return open_


def earns_by_nothing(market: Market, alice: Any, mallory: Any) -> bool:
    """The empty sample, which no lesson can make wrong, takes a part of all income."""
    market.prove_good(alice, [0b111])
    try:
        return market.prove_good(mallory, [0])
    except ape.exceptions.ContractLogicError:
        return False


def earns_by_repeating(market: Market, alice: Any, mallory: Any) -> bool:
    """One sample, contributed again and again, takes all but a tenth of what is paid."""
    market.prove_good(alice, [0b111])
    for _ in range(9):
        market.prove_good(mallory, [0b1011])
    before = market.model.claimable(mallory)
    market.model.payForPrediction([0b11], PRICE, value=PRICE, sender=alice)
    return market.model.claimable(mallory) - before > PRICE // 2


def earns_by_copying(market: Market, alice: Any, mallory: Any) -> bool:
    """What another contributed, once more by another account, earns as much as it did."""
    market.prove_good(alice, [0b111])
    return market.prove_good(mallory, [0b111])


def squats_on_a_pair(market: Market, alice: Any, mallory: Any) -> bool:
    """What another contributed first, and took its own deposit of, never counts for anybody."""
    label = market.model.predict([0b111])
    named = [0b111], label, market.add(mallory, [0b111], label), mallory
    ape.chain.pending_timestamp = market.now + ANYONE
    market.model.takeOver(*named, mallory, sender=mallory)
    return not market.prove_good(alice, [0b111])


def earns_without_a_stake(market: Market, alice: Any, mallory: Any) -> bool:
    """A stranger to the group echoes the model and takes half of what is paid for predictions."""
    market.prove_good(alice, [0b111])
    return market.prove_good(mallory, [0b1011])


def bars_a_member(market: Market, alice: Any, mallory: Any) -> bool:
    """A stranger reports what the model does not know yet, so that it never counts."""
    market.prove_good(alice, [0b111])
    # 1 and 0 of one feature more: the model says what it was taught last.
    named = [0b11000], 1, market.add(alice, [0b11000], 1), alice
    market.add(alice, [0b11000], 0)
    try:
        market.announce(mallory, named, REFUND + AUTHOR)
        market.model.report(*named, mallory, sender=mallory)
    except ape.exceptions.ContractLogicError:
        return False
    return True


POINTS_ATTACKS = {
    "lets anybody contribute": [earns_without_a_stake],
    "lets anybody report": [bars_a_member],
}

ATTACKS = {
    "takes the empty sample": [earns_by_nothing],
    "counts a sample again": [earns_by_repeating, earns_by_copying],
    "frees a pair that counts": [earns_by_repeating, earns_by_copying],
    "keeps a pair for the first": [squats_on_a_pair],
}


def test_every_defence_has_its_attack():
    assert ATTACKS.keys() == REPEATS.keys() | CLASSIFIERS.keys()
    assert POINTS_ATTACKS.keys() == GROUPS.keys()


def each(attacks):
    """Every attack, by the weakness that it needs."""
    return pytest.mark.parametrize(
        ("weakness", "attack"), [(name, one) for name, some in attacks.items() for one in some]
    )


@each(ATTACKS)
def test_the_attack_needs_the_weakness(open_market, alice, bob, weakness, attack):
    check_attack(attack, open_market(), open_market(weakness), alice, bob)


@each(POINTS_ATTACKS)
def test_the_attack_on_a_group_needs_the_weakness(open_market, alice, bob, weakness, attack):
    sound, weak = open_market(points=True), open_market(weakness, points=True)
    check_attack(attack, sound, weak, alice, bob)
