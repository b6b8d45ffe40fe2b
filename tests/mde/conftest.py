"""The contract, its parties, and markets under both settlements and in both currencies."""

from __future__ import annotations

import pytest

from tests.kit.mock_contracts import deploy_token
from tests.mde.market import OPEN, SEALED, open_market


@pytest.fixture(scope="session")
def seller(accounts):
    """Sells a dataset."""
    return accounts[11]


@pytest.fixture(scope="session")
def buyer(accounts):
    """Owns a model and buys data for it."""
    return accounts[12]


@pytest.fixture(scope="session")
def other(accounts):
    """Another party to deals."""
    return accounts[13]


@pytest.fixture(scope="session")
def contract(project, deployer, stablecoin):
    """The contract of all deals; after the token, since Ape forgets what a module deploys late."""
    return project.DatasetSale.deploy(sender=deployer)


@pytest.fixture(scope="session")
def stablecoin(mocks, deployer, seller, buyer, other, stranger):
    """A plain ERC-20 of which these have plenty."""
    return deploy_token(mocks["PlainToken"], deployer, [seller, buyer, other, stranger])


@pytest.fixture(params=[OPEN, SEALED], ids=["open", "sealed"])
def settlement(request):
    """How keys are delivered."""
    return request.param


@pytest.fixture(params=["native", "token"])
def currency(request, stablecoin):
    """What is paid in: None for the native coin."""
    return stablecoin if request.param == "token" else None


@pytest.fixture(params=[(OPEN, False), (SEALED, True)], ids=["open, native", "sealed, token"])
def market(request, contract, buyer, seller, stablecoin):
    """A posted order and a registered dataset of honest parties."""
    settlement, in_token = request.param
    token = stablecoin if in_token else None
    return open_market(contract, buyer, seller, settlement=settlement, token=token)
