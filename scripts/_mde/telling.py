"""What `ape run price` prints while it runs and when it is over."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from rich.console import Console

from offchain.data.imageset import Progress
from offchain.data.leftout import LeftOut
from offchain.report.tables import render
from offchain.report.text import amount
from scripts._mde.order import Stand
from scripts._mde.record import Record, outcome
from scripts._mde.sheets import money_sheet, sellers_sheet, ways_sheet
from scripts._stage.gas import calls_sheet
from scripts._stage.money import currency
from scripts._stage.waiting import doing


class PriceTelling:
    """Prints to a console of its own."""

    def __init__(self) -> None:
        self._console = Console(width=110)

    def doing(self, what: str) -> AbstractContextManager[Progress]:
        """See `doing`."""
        return doing(self._console, what, say=False)

    def begin(self, name: str, title: str) -> None:
        """Which story."""
        self._console.rule(f"[bold]{name}[/]: {title}")

    def note(self, who: str, what: str) -> None:
        """One line."""
        self._console.print(f"{who:<10} {what}", highlight=False, markup=False, soft_wrap=True)

    def left_out(self, what: LeftOut) -> None:
        """Of the data."""
        self._console.print(str(what), highlight=False, markup=False, soft_wrap=True)

    def quoted(self, stand: Stand, token: str) -> None:
        """A quote was recorded. token: what pays."""
        coin, decimals = currency(token)
        self.note(stand.name, f"quotes {amount(stand.price, decimals)} {coin}")

    def bought(self, stand: Stand) -> None:
        """What came of a purchase."""
        self.note("buyer", f"pays for {stand.name}: {outcome(stand)}")

    def end(self, record: Record, wrong: list[str], files: list[Path]) -> None:
        """The tables, and where it is all written."""
        gas = calls_sheet(record.calls, record.gas_price_gwei)
        sheets = [sellers_sheet(record), money_sheet(record), gas]
        if record.ways:
            sheets.insert(1, ways_sheet(record))
        for sheet in sheets:
            self._console.print(render(sheet))
        for seller in record.sellers:
            for line in seller.remarks:
                self.note(seller.name, line)
        for line in wrong:
            self._console.print(f"[bold red]not as it should be:[/] {line}")
        if not wrong:
            self._console.print("The story ended justly.")
        before, after = record.loss
        rho = "" if record.rho is None else f"rank correlation of price and gain {record.rho:.2f}; "
        self._console.print(
            f"{rho}test loss {before:.3f} before, {after:.3f} after; accuracy "
            f"{record.accuracy[0]:.1%} before, {record.accuracy[1]:.1%} after; "
            f"{record.seconds:.0f} s",
            highlight=False,
        )
        for file in files:
            self._console.print(str(file), highlight=False, soft_wrap=True)
