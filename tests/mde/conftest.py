"""The contract, and sales under both settlements and in both currencies."""

from __future__ import annotations

import pytest

from tests.kit.mock_contracts import deploy_token
from tests.kit.sale import OPEN, SEALED
from tests.mde.deal_driver import open_deal


@pytest.fixture(scope="session")
def contract(project, deployer, stablecoin):
    """The contract of all deals; after the token, since Ape forgets what a module deploys late."""
    return project.DatasetSale.deploy(sender=deployer)


@pytest.fixture(scope="session")
def stablecoin(mocks, deployer, seller, buyer, other, stranger):
    """A plain ERC-20 of which these have plenty.

    The room's own, since Ape forgets what other rooms' tests deployed.
    """
    return deploy_token(mocks["PlainToken"], deployer, [seller, buyer, other, stranger])


@pytest.fixture(params=["native", "token"])
def currency(request, stablecoin):
    """What is paid in: None for the native coin."""
    return stablecoin if request.param == "token" else None


@pytest.fixture(params=[(OPEN, False), (SEALED, True)], ids=["open, native", "sealed, token"])
def sale(request, contract, buyer, seller, stablecoin):
    """A posted order and a registered dataset of honest parties."""
    settlement, in_token = request.param
    token = stablecoin if in_token else None
    return open_deal(contract, buyer, seller, settlement=settlement, token=token)
