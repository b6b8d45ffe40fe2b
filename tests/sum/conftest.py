"""Shared models whose classifier says what the test tells it."""

from __future__ import annotations

from pathlib import Path

import ape
import pytest
from ape.utils import ZERO_ADDRESS

from offchain.sum.members import Members
from tests.kit.solidity import compile_contracts
from tests.sum.model_driver import COST_WEIGHT, SUBMISSION_COST, TASK, UNIT, WAITS, ModelDriver

_DOUBLES = "tests/sum/mocks/Doubles.sol"


@ape.fixture(chain_isolation=False, scope="session")
def alice(accounts):
    """Contributes."""
    return accounts[11]


@ape.fixture(chain_isolation=False, scope="session")
def bob(accounts):
    """Contributes too."""
    return accounts[12]


@ape.fixture(chain_isolation=False, scope="session")
def carol(accounts):
    """Has contributed nothing so far."""
    return accounts[13]


@ape.fixture(chain_isolation=False, scope="session")
def doubles(project):
    """A classifier and an incentive that do as they are told, by name."""
    text = (Path(project.path) / _DOUBLES).read_text()
    wanted = dict.fromkeys(("ToldClassifier", "ToldIncentive"), _DOUBLES)
    return compile_contracts(wanted, {_DOUBLES: text})


# Of each test: one for the session would be gone with the module that first asked for it.
@pytest.fixture
def stake(project, deployer):
    """A stake incentive."""
    return project.StakeIncentive.deploy(COST_WEIGHT, SUBMISSION_COST, UNIT, WAITS, sender=deployer)


@pytest.fixture
def make_classifier(deployer, doubles):
    """Makes a classifier that says 1 of every sample, until it is told otherwise."""

    def make():
        classifier = deployer.deploy(doubles["ToldClassifier"])
        classifier.tell(1, sender=deployer)
        return classifier

    return make


@pytest.fixture
def make_model(project, deployer, make_classifier):
    """Makes a model with that incentive; its classifier says 1 of every sample, unless given, and
    it takes the native coin, unless a token is given."""

    def make(incentive, classifier=None, token=ZERO_ADDRESS) -> ModelDriver:
        classifier = classifier or make_classifier()
        model = project.SharedModel.deploy(
            classifier, incentive, token, deployer, TASK, sender=deployer
        )
        return ModelDriver(model, classifier, incentive, deployer)

    return make


@pytest.fixture
def staked(make_model, stake) -> ModelDriver:
    """A fresh model with the stake incentive."""
    return make_model(stake)


@pytest.fixture
def group(project, deployer, alice, bob, carol):
    """A points incentive whose members are these three, all of whom have joined."""
    incentive = project.PointsIncentive.deploy(WAITS, sender=deployer)
    members = Members(
        ape.chain.chain_id, incentive.address, [str(one.address) for one in (alice, bob, carol)]
    )
    incentive.nameMembers(members.root, 3, sender=deployer)
    for index, member in enumerate((alice, bob, carol)):
        incentive.join(index, members.path(index), sender=member)
    return incentive


@pytest.fixture
def points(make_model, group) -> ModelDriver:
    """A fresh model of that group."""
    return make_model(group)


@pytest.fixture
def told(make_model, deployer, doubles) -> ModelDriver:
    """A fresh model with an incentive that does as it is told."""
    return make_model(deployer.deploy(doubles["ToldIncentive"]))
