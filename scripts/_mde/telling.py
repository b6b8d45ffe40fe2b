"""What `ape run price` prints while it runs and when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from offchain.mde.influence import InfluenceSettings
from offchain.mde.oracles import Settings
from offchain.mde.outlook import outlook
from offchain.mde.owner import Owner
from offchain.report.money import money_sheet
from offchain.report.text import amount
from scripts._mde.record import Record
from scripts._mde.sheets import sellers_sheet, ways_sheet
from scripts._stage.gas import calls_sheet
from scripts._stage.telling import Telling

LONG_SECONDS = 10.0
"""What takes the processor longer is told of beforehand."""


def tell_outlook(telling: Telling, owner: Owner, settings: Settings) -> None:
    """How long the oracle of an artefact will take, and how much memory, where that is long.

    Raises MdeError for what cannot be done at all.
    """
    if isinstance(settings, InfluenceSettings):
        said = outlook(owner.model, owner.task, settings)
        if said.seconds > LONG_SECONDS:
            telling.say(f"valuing by influence takes {said}")


@dataclass
class PriceTelling(Telling):
    """Prints to a console of its own."""

    console: Console = field(default_factory=lambda: Console(width=110))

    def begin(self, name: str, title: str) -> None:
        """Which story."""
        self.console.rule(f"[bold]{name}[/]: {title}")

    def quoted(self, name: str, price: int, coin: str, decimals: int) -> None:
        """A quote was recorded. price: smallest unit."""
        self.say(f"{name:<12} quotes {amount(price, decimals)} {coin}")

    def end(self, record: Record, wrong: list[str], files: list[Path]) -> None:
        """The tables, and where it is all written."""
        self.sheets(
            (
                sellers_sheet(record),
                *([ways_sheet(record)] if record.ways else []),
                money_sheet(record.money, record.currency, record.decimals),
                calls_sheet(record.calls, record.gas_price_gwei),
            )
        )
        for seller in record.sellers:
            for line in seller.remarks:
                self.show(f"{seller.name:<12} {line}", whole=True)
        self.verdict(wrong)
        before, after = record.loss
        rho = "" if record.rho is None else f"rank correlation of price and gain {record.rho:.2f}; "
        self.show(
            f"{rho}test loss {before:.3f} before, {after:.3f} after; accuracy "
            f"{record.accuracy[0]:.1%} before, {record.accuracy[1]:.1%} after; "
            f"{record.seconds:.0f} s"
        )
        self.wrote(files)
