"""A sale on a public testnet, behind a node that allows little (tests/kit/hosted.py)."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from click import ClickException
from rich.console import Console

import scripts._hide.seating as places
import scripts._stage.chain as stage
from scripts._hide import workshop
from scripts._hide.chain import SALE
from scripts._hide.play import SalePlay
from scripts._stage.deployments import deploy, deployments_path, missing
from scripts._stage.node import have_patience
from scripts._stage.outbox import Patience
from scripts._stage.reorganisations import DEEPEST
from scripts._stage.table import Step
from scripts._stage.telling import Telling
from tests.hide.stories.sold import PRICES, STAKE, small_options, unmeasured
from tests.kit.hosted import CHAIN_ID, HostedProxy, hosted, ticking


@pytest.fixture
def testnet(project, deployer, accounts, monkeypatch, tmp_path) -> Iterator[HostedProxy]:
    """Every fifth request fails; the sale is there, and time runs 120 times as fast."""
    monkeypatch.setattr(stage, "chain_home", lambda: tmp_path / "chain")
    monkeypatch.setattr(stage, "POLL_SECONDS", 0.5)
    monkeypatch.setattr(stage, "patience", lambda: Patience(confirmations=1, poll_seconds=0.2))
    monkeypatch.setattr(places, "load", lambda alias, sign_unasked: accounts[int(alias)])
    monkeypatch.setattr(workshop, "make_family", unmeasured)
    monkeypatch.setenv("SOUK_PASSPHRASE", "correct horse battery staple")
    with hosted() as proxy:
        have_patience(backoff_seconds=0.001)
        proxy.most_blocks, proxy.trouble = 100, 0.2
        path = deployments_path(tmp_path / "deployments")
        with ticking(proxy, blocks_per_second=5, block_seconds=24):
            for sale in missing([SALE]):
                deploy(deployer, sale, path)
            proxy.mine(DEEPEST)
            yield proxy


class Killed(BaseException):
    """The process was killed."""


class KillingTelling(Telling):
    """Kills the process once a call was told."""

    last = ""

    def step(self, step: Step) -> None:
        super().step(step)
        if step.receipt.call == self.last:
            raise Killed


def test_a_sale_waits_where_nobody_moves_time_and_goes_on_where_it_was_killed(
    testnet, tmp_path
) -> None:
    """To the very payouts, its masks drawn from a secret, its accounts named."""
    options = small_options(
        tmp_path,
        buyers="1,2",
        hours=0.5,
        window_minutes=10.0,
        seller="1",
        buyer=("2", "3"),
        deployments=tmp_path / "deployments",
    )
    with pytest.raises(ClickException, match="name --seller and 2 times --buyer, not 1 times"):
        SalePlay("wrong-key", small_options(tmp_path, buyers="1,2", buyer=("2",))).run()

    def sale(last: str) -> SalePlay:
        telling = KillingTelling(Console(file=io.StringIO(), width=100))
        telling.last = last
        return SalePlay("wrong-key", options, home=tmp_path / "home", telling=telling)

    for last in ("list", "buy"):
        with pytest.raises(Killed):
            sale(last).run()
    over = sale("")
    assert over.run() == []
    assert over.record is not None
    assert over.record.chain_id == CHAIN_ID
    gains = [one.gain for one in over.record.money]
    assert gains == [PRICES[0] - STAKE, -PRICES[0], STAKE]
