"""What a shared model consists of, and how a stranger knows that it is this version's code.

The factory vouches for the model. Classifier and incentive are made as `ape run deploy` makes
contracts: their addresses follow from code and arguments. Whoever knows the code computes the
addresses, and takes part if they are the model's.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

import ape
import click
from ape.contracts import ContractInstance
from ape.types import AddressType

from offchain.sum.model import Price, Waits
from scripts._stage.chain import native
from scripts._stage.created import container, created_at, creation
from scripts._stage.foreign import asked

FACTORY = "SharedModelFactory"
PERCEPTRON = "SparsePerceptron"
CLASSIFIERS = (PERCEPTRON, "NearestCentroid", "NaiveBayes")
INCENTIVES = ("StakeIncentive", "EntropyIncentive")
"""Incentives whose rules an author can follow here; points are for groups."""


@dataclass(frozen=True)
class Part:
    """A contract that may have to be made: its name, its code, and the salt of its address."""

    name: str
    code: bytes
    salt: bytes = bytes(32)

    @property
    def address(self) -> str:
        """Where it is, or will be."""
        return created_at(self.code, self.salt)


def classifier_part(
    name: str, owner: str, task: bytes, features: int, most_active: int, classes: int
) -> Part:
    """A classifier of one's own for one task."""
    classes_ = () if name == PERCEPTRON else (classes,)
    return Part(name, creation(name, owner, features, most_active, *classes_), task)


def incentive_part(
    weight: int, cost: int, unit: int, waits: Waits, classifier: str, accuracy: int | None
) -> Part:
    """An incentive; all models of the same terms share it, but for one by information.

    accuracy: stated, in 1 / 10,000; None for a cost that is the same for all.
    """
    terms = weight, cost, unit, astuple(waits)
    if accuracy is None:
        return Part("StakeIncentive", creation("StakeIncentive", *terms))
    return Part("EntropyIncentive", creation("EntropyIncentive", *terms, classifier, accuracy))


def contract_at(name: str, address: str) -> ContractInstance:
    """The contract at an address as one of that name, whatever it was taken for before.

    Ape would go on to take it for what it was first asked as.
    """
    return ContractInstance(ape.convert(address, AddressType), container(name).contract_type)


def known_classifier(address: str, owner: str, task: bytes) -> tuple[str, ContractInstance] | None:
    """Name and contract of the classifier at an address, if this version's code made it for that
    owner and task."""
    for name in CLASSIFIERS:
        contract = contract_at(name, address)
        shape = asked(contract, "featureCount", "maxActive", "classCount")
        if shape and classifier_part(name, owner, task, *shape).address == address:
            return name, contract
    return None


def known_incentive(address: str, classifier: str) -> tuple[Waits, Price] | None:
    """The terms of the incentive at an address if this version's code made it."""
    for name in INCENTIVES:
        contract = contract_at(name, address)
        entropy = name == "EntropyIncentive"
        told = asked(contract, "costWeight", "submissionCost", "unit", "waits")
        more = asked(contract, "statedAccuracy", "agreeCost", "disagreeCost") if entropy else ()
        if told is None or more is None:
            continue
        weight, cost, unit, waits_ = told
        waits = Waits(*_fields(waits_))
        accuracy = more[0] if more else None
        if incentive_part(weight, cost, unit, waits, classifier, accuracy).address == address:
            agree, disagree = more[1:] if more else (cost * unit, cost * unit)
            return waits, Price(weight, unit, agree, disagree)
    return None


def refuse(model: str, what: str) -> click.ClickException:
    """The line for a model that is not this version's in all its parts."""
    return click.ClickException(
        f"{model}: its {what} is not of this version's code, so that nothing is known of its rules"
    )


def _fields(value: Any) -> tuple[int, ...]:
    """A struct's values, in order."""
    names = getattr(value, "__dataclass_fields__", None)
    found = native(tuple(getattr(value, name) for name in names) if names else tuple(value))
    return tuple(int(one) for one in found)
