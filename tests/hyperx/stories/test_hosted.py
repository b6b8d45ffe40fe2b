"""A session on a public testnet, behind a node that allows little (tests/kit/hosted.py)."""

from __future__ import annotations

from collections.abc import Iterator

import ape
import pytest

import scripts._stage.chain as stage
from scripts._hyperx.chain import ChainSession
from scripts._stage.index import NodeRefused
from scripts._stage.node import ConnectedNode, have_patience
from tests.hyperx.session_driver import SessionDriver, open_session
from tests.kit.hosted import HostedProxy, hosted

BLOCKS = 260
"""That others make before and after the session is created; the node allows 100 at once."""

DAY = 86_400


@pytest.fixture(scope="module")
def busy_node(project) -> Iterator[HostedProxy]:
    """A node that fails in every fifth request, with Ape connected to it."""
    with hosted() as proxy:
        have_patience(backoff_seconds=0.001)
        proxy.most_blocks, proxy.trouble = 100, 0.2
        yield proxy


@pytest.fixture(scope="module")
def driver(busy_node, project, deployer, collector, provider) -> SessionDriver:
    """An old session with one provider."""
    factory = deployer.deploy(project.TradingSessionFactory)
    busy_node.mine(BLOCKS)
    now = ape.chain.pending_timestamp
    times = {"registrationEnd": now + DAY, "submissionEnd": now + 2 * DAY, "expiry": now + 3 * DAY}
    driver = open_session(factory, collector, **times)
    driver.register(provider)
    busy_node.mine(BLOCKS)
    return driver


@pytest.fixture
def home(monkeypatch, tmp_path):
    """Where what was read is kept."""
    monkeypatch.setattr(stage, "chain_home", lambda: tmp_path)
    return tmp_path


def found(driver: SessionDriver) -> ChainSession:
    """The session as a role finds it that knows its address alone."""
    factory = ape.project.TradingSessionFactory.at(driver.created.receiver)
    return ChainSession.resume(factory, 0, str(driver.session.address))


def test_a_session_older_than_the_nodes_range_is_found_and_read(
    home, busy_node, driver, provider, stranger
):
    """Where one question for all logs is refused; what was read is not asked for again."""
    with pytest.raises(NodeRefused, match=r"range \d+ exceeds limit of 100"):
        ConnectedNode().logs(
            {"address": str(driver.session.address), "fromBlock": "0x0", "toBlock": "latest"}
        )
    assert set(found(driver).read().members) == {str(provider.address)}
    busy_node.asked.clear()
    driver.register(stranger)
    assert len(found(driver).read().members) == 2
    assert len(busy_node.asked) <= 4


@pytest.mark.parametrize("depth", [1, 12])
def test_what_a_reorganisation_took_back_never_happened(home, busy_node, driver, rival, depth):
    """And is seen again where it happens again."""
    session = found(driver)
    before = set(session.read().members)
    driver.register(rival)
    busy_node.mine(depth - 1)
    assert set(session.read().members) == {*before, str(rival.address)}
    busy_node.reorganise(depth)
    assert set(session.read().members) == before
    driver.register(rival)
    busy_node.mine(1)  # Anvil remembers the receipt of the same transaction, which was taken back
    assert set(session.read().members) == {*before, str(rival.address)}
    busy_node.reorganise(2)
