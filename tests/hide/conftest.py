"""The contract, and listings under both settlements and in both currencies."""

from __future__ import annotations

import pytest

from tests.hide.listing_driver import open_shop
from tests.kit.mock_contracts import deploy_token


@pytest.fixture(scope="session")
def contract(project, deployer, coin):
    """The contract of all sales; after the token, since Ape forgets what a module deploys late."""
    return project.CleanerSale.deploy(sender=deployer)


@pytest.fixture(scope="session")
def coin(mocks, deployer, seller, buyer, other, stranger):
    """A plain ERC-20 of which these have plenty.

    The room's own, since Ape forgets what other rooms' tests deployed.
    """
    return deploy_token(mocks["PlainToken"], deployer, [seller, buyer, other, stranger])


@pytest.fixture(params=["native", "token"])
def currency(request, coin):
    """What is paid in: None for the native coin."""
    return coin if request.param == "token" else None


@pytest.fixture
def shop(contract, seller, settlement, currency):
    """A fresh listing with three levels, of an honest seller."""
    return open_shop(contract, seller, settlement=settlement, token=currency)
