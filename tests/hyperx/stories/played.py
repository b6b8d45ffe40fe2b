"""A story played to its end, and all that it left behind."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ape
from rich.console import Console

from offchain.hyperx.report.record import SessionRecord
from offchain.hyperx.session import Member, Session
from scripts._hyperx.chain import ChainSession
from scripts._hyperx.options import TradeOptions
from scripts._hyperx.play import Demonstration
from scripts._hyperx.telling import SessionTelling
from scripts.trade import cli
from tests.kit.options import options_of
from tests.kit.snapshots import undone


@dataclass(frozen=True)
class Played:
    """What is left of a demonstration.

    Attributes:
        wrong: what did not end as the story demands.
        record: of the session.
        session: as its events tell it.
        printed: on the console.
        secrets: by file and name, in hex.
        modes: of the secrets files.
        calldata: of all transactions by sender, in hex.
        folder: of the report.
    """

    wrong: list[str]
    record: SessionRecord
    session: Session
    printed: str
    secrets: Mapping[str, Mapping[str, str]]
    modes: Mapping[str, int]
    calldata: str
    folder: Path

    def member(self, name: str) -> Member | None:
        """What the chain says of a provider, by its name."""
        (account,) = (p.account for p in self.record.providers if p.name == name)
        return self.session.members.get(account)

    @property
    def tried(self) -> list[str]:
        """Names of those that were asked for a review."""
        names = [p.name for p in self.record.providers]
        return [n for n in names if (member := self.member(n)) and member.tried]

    @property
    def gains(self) -> dict[str, int]:
        """What each party gained besides gas, in wei."""
        return {one.party: one.gain for one in self.record.money}


def small_options(folder: Path, **changes: Any) -> TradeOptions:
    """The command line's defaults, with datasets small enough for a test."""
    small = {
        "plan": "clean,mislabel:0.5,noise:0.6",
        "shards": 20,
        "shard_size": 5,
        "sample": 40.0,
        "validation": 150,
        "deposit": "0.8 ether",
        "penalty": 50.0,
        "provider": (),
        "deployments": folder / "deployments",
        "reports": folder / "reports",
    }
    return options_of(cli, TradeOptions, **(small | changes))


def play_story(name: str, folder: Path, *, forgetful: bool = False, **changes: Any) -> Played:
    """Plays `name` and undoes all of it on chain."""
    with undone():
        return play_for_good(name, folder, forgetful=forgetful, **changes)


def play_for_good(name: str, folder: Path, *, forgetful: bool = False, **changes: Any) -> Played:
    """Plays `name` on the connected chain."""
    before, screen, home = ape.chain.blocks.height, io.StringIO(), folder / "home"
    options = small_options(folder, **changes)
    telling = SessionTelling(Console(file=screen, width=80))
    demonstration = Demonstration(name, options, forgetful, home, telling=telling)
    wrong = demonstration.run()
    record = demonstration.record
    assert record is not None
    chain = ChainSession(ape.project.TradingSession.at(record.session), 0)
    files = sorted(home.glob("*.json"))
    blocks = range(before + 1, ape.chain.blocks.height + 1)
    return Played(
        wrong,
        record,
        chain.read(),
        screen.getvalue(),
        {file.name: json.loads(file.read_text()) for file in files},
        {file.name: file.stat().st_mode & 0o777 for file in files},
        "".join(_calldata(number) for number in blocks),
        options.reports / name,
    )


def _calldata(number: int) -> str:
    block = ape.chain.provider.web3.eth.get_block(number, True)
    return "".join(transaction["input"].hex() for transaction in block["transactions"])
