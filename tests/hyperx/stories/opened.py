"""A session opened by a process that may be killed, off a local chain, and in what steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

import ape

import scripts._hyperx.chain as adapter
import scripts._hyperx.opening as opening
import scripts._stage.chain as stage
from offchain.hyperx.terms import Terms
from scripts._hyperx.opening import Opening
from scripts._hyperx.stories import STORIES
from scripts._hyperx.terms import make_terms
from scripts._stage.deployments import Deployed
from scripts._stage.node import ConnectedPool
from scripts._stage.outbox import Outbox, Patience
from tests.hyperx.stories.played import small_options
from tests.kit.killed import StepKind, forked

COLLECTOR = 1
"""Number of the test account."""


def kinds() -> Sequence[StepKind]:
    """Whatever is written or sent."""
    return [
        (opening, "write_whole"),
        (Outbox, "_write"),
        (ConnectedPool, "send"),
        (adapter, "transact_paying"),
        (Opening, "told"),
    ]


def terms_now(folder: Path, reward: str = "1 ether") -> Terms:
    """What the same command line asks for at this moment."""
    collector = str(ape.accounts.test_accounts[COLLECTOR].address)
    terms = make_terms(small_options(folder, reward=reward), STORIES["honest"], collector, 3)
    documents = {one.name: b"\1" * 32 for one in fields(Terms) if one.type == "bytes"}
    return replace(terms, **documents)


@forked
def open_session(factory: str, first: int, home: Path, reward: str = "1 ether") -> None:
    """What the command does: opens a session, then tells where it is.

    factory: made in block `first`. home: what outlives the process; `told` has the addresses that
    the user saw.
    """
    stage.chain_home = lambda: home
    stage.patience = lambda: Patience(confirmations=0, poll_seconds=0.05)
    type(ape.chain.provider.network).required_confirmations = 0
    contract = ape.project.TradingSessionFactory.at(factory)
    account = ape.accounts.test_accounts[COLLECTOR]
    begun = Opening(home / "openings", Deployed(contract, first), account)
    session = begun.open(terms_now(home, reward))
    with (home / "told").open("a") as file:
        file.write(f"{session.address}\n")
    begun.told()
