"""A process that opens a session is killed after every step: there is one session, one escrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import ape
import click
import pytest

import scripts._stage.chain as stage
from scripts._hyperx.opening import Opening
from scripts._stage.deployments import Deployed
from scripts._stage.outbox import Patience
from scripts._stage.reorganisations import DEEPEST
from tests.hyperx.stories.opened import COLLECTOR, kinds, open_session, terms_now
from tests.kit.hosted import HostedProxy, hosted
from tests.kit.killed import live

OTHER = "0.9 ether"
"""Reward of somebody who changed its mind."""

LATER = 30
"""Seconds between two runs of the command, in blocks of one second."""


@pytest.fixture(scope="module")
def testnet(project) -> Iterator[HostedProxy]:
    """A chain that is not local, so that what is sent goes by way of the outbox."""
    with hosted() as proxy:
        yield proxy


class Collector:
    """Who opens sessions, by processes that share one home."""

    def __init__(self, factory, home: Path) -> None:
        self.factory, self.first, self.home = factory, ape.chain.blocks.height, home
        home.mkdir()
        self.account = ape.accounts.test_accounts[COLLECTOR]
        self.before = self.account.balance

    def call(self, kill_after: int | None = None, **asked: str):
        """One process."""
        arguments = (str(self.factory.address), self.first, self.home, *asked.values())
        return live(open_session, *arguments, kinds=kinds, kill_after=kill_after)

    @property
    def opened(self) -> list[str]:
        """Sessions on the chain."""
        return [str(log.session) for log in self.factory.SessionCreated]

    @property
    def told(self) -> list[str]:
        """Sessions that the user was told of."""
        path = self.home / "told"
        return path.read_text().split() if path.exists() else []

    @property
    def paid(self) -> int:
        """In whole escrows, so that fees do not count."""
        escrow = terms_now(self.home).escrow
        return round((self.before - self.account.balance) / escrow)


@pytest.fixture
def collector_at(testnet, project, deployer, tmp_path) -> Callable[[str], Collector]:
    """Somebody with a folder of that name and a factory of its own, which is no new one."""

    def made(name: str) -> Collector:
        factory = deployer.deploy(project.TradingSessionFactory)
        testnet.mine(DEEPEST)
        return Collector(factory, tmp_path / name)

    return made


def test_whenever_it_is_killed_the_same_command_opens_one_session(testnet, collector_at):
    """Run later, when the terms that it asks for have other times."""
    quiet = collector_at("quiet")
    steps = quiet.call().steps
    assert steps == ["write_whole", "_write", "send", "transact_paying", "told"]
    assert (quiet.told, quiet.paid) == (quiet.opened, 1)
    for number in range(1, len(steps) + 1):
        killed = collector_at(str(number))
        assert killed.call(number).killed
        testnet.mine(LATER)
        killed.call()
        again = number == len(steps)  # which had told all that there is to tell
        assert len(killed.opened) == killed.paid == (2 if again else 1), steps[number - 1]
        assert killed.told == killed.opened


@pytest.fixture
def opening(monkeypatch) -> Callable[..., Opening]:
    """A collector's, in this process."""

    def made(collector: Collector, *name: str) -> Opening:
        monkeypatch.setattr(stage, "chain_home", lambda: collector.home)
        patience = Patience(confirmations=0, poll_seconds=0.05)
        monkeypatch.setattr(stage, "patience", lambda: patience)
        factory = Deployed(collector.factory, collector.first)
        return Opening(collector.home / "openings", factory, collector.account, *name)

    return made


@pytest.fixture
def here(opening) -> Callable[[Collector, str], str]:
    """Opens a session for another reward in this process; its address."""
    return lambda collector, reward: (
        opening(collector).open(terms_now(collector.home, reward)).address
    )


def test_while_a_session_may_still_come_no_other_one_is_sent(testnet, collector_at, here):
    """It is in the pool. Once its registration is over it cannot come any more."""
    killed, ask = collector_at("killed"), testnet.direct.provider.make_request
    ask("evm_setAutomine", [False])
    assert killed.call(3).steps[-1] == "send"
    with pytest.raises(click.ClickException, match="of other terms was sent and may still be"):
        here(killed, OTHER)
    ask("anvil_dropAllTransactions", [])
    ask("evm_setNextBlockTimestamp", [terms_now(killed.home).registration_end])
    testnet.mine(1)
    ask("evm_setAutomine", [True])
    assert killed.opened == []
    address = here(killed, OTHER)
    assert killed.opened == [address]
    assert killed.paid == 1


def test_nothing_is_waited_for_that_was_never_signed(testnet, collector_at, here):
    """Who was killed before may change the options."""
    killed = collector_at("killed")
    assert killed.call(1).steps == ["write_whole"]
    assert killed.opened == []
    assert [here(killed, OTHER)] == killed.opened


def test_a_session_of_other_terms_is_named_before_another_one_is_opened(
    testnet, collector_at, here
):
    """Nobody was told of it, and its escrow is locked."""
    killed = collector_at("killed")
    assert killed.call(4).steps[-1] == "transact_paying"
    (address,) = killed.opened
    with pytest.raises(click.ClickException, match=f"--resume {address} goes on"):
        here(killed, OTHER)
    assert killed.opened == [address]
    other = here(killed, OTHER)
    assert killed.opened == [address, other]


def test_what_was_begun_goes_on_whatever_would_be_asked_for(testnet, collector_at, opening):
    """Another command's is not touched; what was never signed, or was told of, is begun no more."""
    killed = collector_at("killed")
    assert opening(killed).begun() is None
    killed.call(1)
    assert opening(killed).begun() is None
    killed.call(4)
    (address,) = killed.opened
    assert opening(killed).begun().address == address
    assert opening(killed, "another").begun() is None
    opening(killed).told()
    assert opening(killed).begun() is None
    assert killed.opened == [address]
