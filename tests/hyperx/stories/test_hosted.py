"""A session on a public testnet, behind a node that allows little (tests/kit/hosted.py)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import ape
import pytest

import scripts._stage.accounts as seating
import scripts._stage.chain as stage
from scripts._hyperx.chain import ChainSession
from scripts._hyperx.play import Demonstration
from scripts._hyperx.telling import SessionTelling
from scripts._stage.deployments import deploy, deployments_path, missing
from scripts._stage.index import NodeRefused
from scripts._stage.node import ConnectedNode, have_patience
from scripts._stage.outbox import Patience
from scripts._stage.table import Step
from tests.hyperx.session_driver import SessionDriver, open_session
from tests.hyperx.stories.played import small_options
from tests.kit.hosted import CHAIN_ID, HostedProxy, hosted, ticking

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


@pytest.fixture
def testnet(busy_node, deployer, accounts, monkeypatch, tmp_path) -> Iterator[HostedProxy]:
    """The node, with the factory on its chain, whose time runs 120 times as fast as the clock."""
    monkeypatch.setattr(stage, "chain_home", lambda: tmp_path / "chain")
    monkeypatch.setattr(stage, "POLL_SECONDS", 0.5)
    monkeypatch.setattr(stage, "patience", lambda: Patience(confirmations=1, poll_seconds=0.2))
    monkeypatch.setattr(seating, "load", lambda alias, sign_unasked: accounts[int(alias)])
    monkeypatch.setenv("SOUK_PASSPHRASE", "correct horse battery staple")
    path = deployments_path(tmp_path / "deployments")
    with ticking(busy_node, blocks_per_second=5, block_seconds=24):
        for factory in missing(["TradingSessionFactory"]):
            deploy(deployer, factory, path)
        yield busy_node


class Reorganising(SessionTelling):
    """After every action, the first time, the chain takes back as many blocks as `depths` has."""

    node: HostedProxy
    depths: Iterator[int]
    seen: set[tuple[str, str]]

    def step(self, step: Step) -> None:
        super().step(step)
        action = step.seat, step.receipt.call
        if action not in self.seen:
            self.seen.add(action)
            self.node.reorganise(next(self.depths))


def test_a_whole_session_with_a_reorganisation_after_every_action(testnet, tmp_path):
    """Of every depth up to twelve, while time passes by itself and the node fails in every fifth
    request: what was taken back is done again, to the same end.

    What the parties' fees were is not asked: receipts that were taken back are counted as well.
    """
    telling = Reorganising()
    telling.node, telling.depths, telling.seen = testnet, cycle(range(1, 13)), set()
    options = small_options(tmp_path, collector="1", provider=("2", "3", "4"))
    demonstration = Demonstration("honest", options, home=tmp_path / "home", telling=telling)
    demonstration.run()
    assert demonstration.record.winner == "provider 1"
    assert demonstration.record.dataset_matches
    assert demonstration.record.chain_id == CHAIN_ID
