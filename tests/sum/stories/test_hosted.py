"""A shared model on a public testnet, behind a node that allows little (tests/kit/hosted.py)."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import ape
import click
import pytest

import scripts._stage.chain as stage
from offchain.sum.agents import BAD, GOOD
from offchain.sum.reviews import split
from offchain.sum.rules import DAY
from scripts._stage.chain import decoded, logs_of
from scripts._stage.deployments import deploy, deployments_path, missing
from scripts._stage.node import have_patience
from scripts._stage.outbox import Patience
from scripts._stage.reorganisations import DEEPEST
from scripts._sum import options, play, waiting
from scripts._sum.options import ShareOptions, ShareParties
from scripts._sum.parts import FACTORY
from scripts._sum.waiting import Outlook, WaitingModel
from tests.kit.hosted import HostedProxy, hosted, ticking
from tests.offchain.sum.made_reviews import make_reviews

SHARED = ShareOptions(
    submissions=3,
    words=20,
    agents="good,bad",
    submission_cost=1,
    stated_accuracy=None,
    train_size=0.1,
    block_seconds=1,
    seed=1,
    gas_price=20.0,
)
PEOPLE = ("1", "2", "3")


@pytest.fixture
def testnet(project, deployer, accounts, monkeypatch, tmp_path) -> Iterator[HostedProxy]:
    """Every twentieth request fails, blocks come by themselves, and time flies while agents wait.

    They come twice a day, not every ten minutes.
    """
    monkeypatch.setattr(stage, "chain_home", lambda: tmp_path / "chain")
    monkeypatch.setattr(play, "chain_home", lambda: tmp_path / "chain")
    monkeypatch.setattr(stage, "patience", lambda: Patience(confirmations=1, poll_seconds=0.1))
    monkeypatch.setattr(options, "load", lambda alias, sign_unasked: accounts[int(alias)])
    monkeypatch.setattr(play, "load_reviews", lambda *_, **__: make_reviews(300, num_words=20))
    monkeypatch.setattr(options, "split", partial(split, test=100))
    for agent in (GOOD, BAD):
        rare = replace(agent, mean_update_wait_s=DAY // 2)
        monkeypatch.setitem(options.KINDS, agent.name, rare)
    with hosted() as proxy:
        have_patience(backoff_seconds=0.001)
        proxy.most_blocks, proxy.trouble = 1_000, 0.05

        def pass_by(timestamp: int) -> None:
            direct = proxy.direct
            late = direct.eth.get_block("latest")["timestamp"] >= timestamp
            if not late:
                direct.provider.make_request("evm_setNextBlockTimestamp", [timestamp])
                direct.provider.make_request("evm_mine", [])

        def late(*call, value=0):
            """Some hours pass while what is first contributed is on its way, which cheapens it."""
            if value and not on_its_way:
                on_its_way.append(call)
                pass_by(proxy.direct.eth.get_block("latest")["timestamp"] + DAY // 4)
            return stage.transact(*call, value)

        on_its_way: list[object] = []
        monkeypatch.setattr(waiting, "wait_until", pass_by)
        monkeypatch.setattr(waiting, "transact", lambda *c: late(*c[:3], value=c[3]))
        with ticking(proxy, blocks_per_second=8, block_seconds=12):
            for factory in missing([FACTORY]):
                deploy(deployer, factory, deployments_path(tmp_path / "deployments"))
            proxy.mine(DEEPEST)
            yield proxy


class Killed(BaseException):
    """The process was killed."""


def test_agents_wait_where_nobody_moves_time_and_nothing_is_sent_twice(
    testnet, tmp_path, monkeypatch, capsys
) -> None:
    """Killed between a call and the note of it, before a call, and while it waits; the same command
    goes on, and every answer is the simulation's at the second of its block."""
    parties = ShareParties(PEOPLE[0], PEOPLE[1:], True, tmp_path / "deployments")
    for wrong in (replace(parties, owner=None), replace(parties, agent=("2",))):
        with pytest.raises(click.ClickException, match="name --owner and 2 times --agent, not"):
            play.share(SHARED, wrong, tmp_path / "reports")
    with pytest.raises(click.ClickException, match="an account each"):
        play.share(SHARED, replace(parties, agent=("2", "2")), tmp_path / "reports")

    def killed_in(name: str, after: int) -> None:
        real, count = getattr(WaitingModel, name), 0

        def dies(self, *arguments):
            nonlocal count
            count += 1
            if count > after:
                raise Killed
            return real(self, *arguments)

        with monkeypatch.context() as patch:
            patch.setattr(WaitingModel, name, dies)
            with pytest.raises(Killed):
                play.share(SHARED, parties, tmp_path / "reports")

    killed_in("_told", 1)  # the second call is in the chain, and not noted
    killed_in("_waited", 2)
    killed_in("send", 5)
    said = capsys.readouterr().out
    assert "Agents wait in the chain's own time: about 1" in said.replace("\n", " ")
    play.share(SHARED, parties, tmp_path / "reports")
    said = capsys.readouterr().out
    assert "own time" not in said, "what was agreed to is not asked again"
    record = json.loads((tmp_path / "reports" / "record.json").read_text())
    assert record["checked"] > 40
    assert record["ended_on_day"] > 9
    submitted = sum(agent["submitted"] for agent in record["agents"])
    calls = {call["name"]: call["count"] for call in record["calls"]}
    address = said.partition("-- model ")[2].split()[0]
    model = ape.project.SharedModel.at(address)
    told = Counter(log.event_name for log in decoded(model, logs_of(address, 0, [])))
    assert told["DataAdded"] == submitted == calls["addData"] >= 3
    settled = told["Refunded"] + told["Reported"] + told["TakenOver"]
    assert settled >= submitted, "nobody waits for money in the end"
    assert told["Credited"] >= 1
    assert told["RewardsClaimed"] == calls["claimRewards"]
    assert not list((tmp_path / "chain").glob("share-*")), "the next run is another"


def test_how_long_and_how_much_is_told_before_and_asked(accounts, monkeypatch, capsys) -> None:
    """No begins nothing; an account that has too little is named before anything is asked."""
    people = [accounts[int(one)] for one in PEOPLE]
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    with pytest.raises(click.Abort):
        Outlook(13 * DAY, (7 * 10**16, 10**15)).agreed(people, yes=False)
    said = capsys.readouterr().out
    assert "about 13.0 days. Each has 0.07 ETH in the model at most" in said
    Outlook(DAY, (1, 1)).agreed(people, yes=True)
    with pytest.raises(click.ClickException, match=rf"{people[2].address} has .* and gas are"):
        Outlook(DAY, (1, 10**30)).agreed(people, yes=True)
