"""Roles and deployments for the contract tests; each test runs in a snapshot, undone after it."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import ape
import pytest

from scripts._stage.pulse import STANDING
from tests.kit.addresses import forgotten_afterwards
from tests.kit.frugal_ape import frugal_ape, frugal_nodes
from tests.kit.ipfs_daemon import running_daemon
from tests.kit.mock_contracts import compile_mocks, deploy_token
from tests.kit.sale import OPEN, SEALED


def pytest_configure():
    """Before Ape starts its node."""
    frugal_nodes()


@pytest.hookimpl(tryfirst=True)
def pytest_exception_interact(call):
    """A failure shows the project's own frames.

    Ape shows every frame under the project's folder with its locals, and .venv lies there.
    """
    own = call.excinfo.traceback.filter(lambda one: "site-packages" not in Path(one.path).parts)
    call.excinfo.traceback = own or call.excinfo.traceback


# chain_isolation=False: what a fixture gives is the same on any chain. Without it Ape undoes what
# modules deployed as soon as a test asks for such a fixture for the first time, and warns of it.


@pytest.fixture(scope="session", autouse=True)
def has_chain(request):
    """Whether this run has a chain, which is fresh then: no node that another run left behind."""
    if not request.config.pluginmanager.has_plugin("ape_test"):
        yield False
        return
    height = ape.chain.blocks.height
    assert height == 0, f"a node from another run is on this port, at block {height}"
    with frugal_ape():
        yield True


@pytest.fixture(scope="module", autouse=True)
def addresses_of_the_module(has_chain):
    """The chain goes back after each module."""
    with forgotten_afterwards() if has_chain else nullcontext():
        yield


@pytest.fixture(autouse=True)
def addresses_of_the_test(has_chain):
    """The chain goes back after each test."""
    with forgotten_afterwards() if has_chain else nullcontext():
        yield


@ape.fixture(chain_isolation=False, scope="session")
def deployer(accounts):
    """Deploys what all tests share, and plays no part in a session."""
    return accounts[0]


@ape.fixture(chain_isolation=False, scope="session")
def collector(accounts):
    """Buys a dataset."""
    return accounts[1]


@ape.fixture(chain_isolation=False, scope="session")
def provider(accounts):
    """Offers a dataset."""
    return accounts[2]


@ape.fixture(chain_isolation=False, scope="session")
def rival(accounts):
    """Offers another dataset."""
    return accounts[3]


@ape.fixture(chain_isolation=False, scope="session")
def newcomer(accounts):
    """Takes part in no session so far and may yet register."""
    return accounts[4]


@ape.fixture(chain_isolation=False, scope="session")
def stranger(accounts):
    """Takes no part in any session."""
    return accounts[5]


@ape.fixture(chain_isolation=False, scope="session")
def seller(accounts):
    """Sells cleaners, or a dataset."""
    return accounts[11]


@ape.fixture(chain_isolation=False, scope="session")
def buyer(accounts):
    """Buys from the seller."""
    return accounts[12]


@ape.fixture(chain_isolation=False, scope="session")
def other(accounts):
    """Another party to sales."""
    return accounts[13]


@pytest.fixture(scope="session")
def factory(has_chain, project, deployer):
    """The factory of sessions."""
    return project.TradingSessionFactory.deploy(sender=deployer)


@ape.fixture(chain_isolation=False, scope="session")
def mocks():
    """Contracts that exist for tests alone, by name."""
    return compile_mocks()


@pytest.fixture(scope="session")
def token(has_chain, mocks, deployer, accounts):
    """A plain ERC-20 of which everybody has plenty."""
    return deploy_token(mocks["PlainToken"], deployer, accounts[:10])


@pytest.fixture(params=[OPEN, SEALED], ids=["open", "sealed"])
def settlement(request):
    """How keys are delivered."""
    return request.param


@pytest.fixture
def partys_daemon(tmp_path):
    """The IPFS daemon of one of several strangers, as `--ipfs` takes it; the others have embedded
    nodes."""
    (tmp_path / "daemon").mkdir()
    with running_daemon(tmp_path / "daemon", peers=True) as address:
        yield address


@pytest.fixture(autouse=True)
def no_party() -> None:
    """Who played before in this process has left: nobody waits on its account."""
    STANDING.account = ""
