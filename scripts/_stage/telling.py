"""What a demonstration prints while it runs and when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from click import ClickException
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from offchain.hyperx.report.record import LedgerEntry, SessionRecord
from offchain.hyperx.report.tables import (
    gas_by_call_table,
    gas_by_party_table,
    ledger_table,
    providers_table,
    scores_table,
)
from offchain.report.text import amount
from scripts._stage.table import Step


@dataclass
class Telling:
    """Prints to `console`, and keeps one line for everything that happened in `log`."""

    console: Console = field(default_factory=Console)
    log: list[str] = field(default_factory=list)
    _bars: Progress | None = None

    @contextmanager
    def live(self) -> Iterator[None]:
        """Meanwhile a terminal shows in its last line what is being done and how far it is."""
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(20),
            TaskProgressColumn(),
            TimeElapsedColumn(),
        )
        if not self.console.is_terminal:
            yield
            return
        with Progress(*columns, console=self.console, transient=True) as self._bars:
            try:
                yield
            finally:
                self._bars = None

    def doing(self, what: str) -> None:
        """Names what begins now."""
        if self._bars:
            for task in self._bars.task_ids:
                self._bars.remove_task(task)
            self._bars.add_task(what, total=None)

    def progress(self, done: int, total: int) -> None:
        """How far it is."""
        if self._bars:
            for task in self._bars.task_ids:
                self._bars.update(task, completed=done, total=total)

    def step(self, step: Step) -> None:
        """One transaction."""
        self.say(f"{step.seat:<12} {step.receipt.call:<14} {step.receipt.gas:>9,} gas")

    def refused(self, seat: str, error: ClickException) -> None:
        """The chain would not do what a party wanted."""
        self.say(f"{seat:<12} {error.message}")

    def session(self, address: str) -> None:
        """Where the session lives; off a local chain what --resume wants."""
        self.say(f"-- session {address}", "bold")

    def time(self, what: str, timestamp: int) -> None:
        """Something ends; `timestamp` in Unix seconds."""
        self.say(f"-- {what}, {datetime.fromtimestamp(timestamp, UTC):%d %B %H:%M} UTC", "bold")

    def conclude(self, record: SessionRecord, wrong: list[str], page: str) -> None:
        """The tables, who got what and why, and whether it is as it should be."""
        scores = (scores_table,) if record.baselines or record.efficacy else ()
        for table in (
            providers_table,
            *scores,
            gas_by_party_table,
            gas_by_call_table,
            ledger_table,
        ):
            self.console.print(table(record))
        self.console.print(who_got_what(record))
        self.console.print()
        if record.dataset_matches:
            self.console.print(
                f"{record.winner} wins. The collector's decrypted dataset equals the winner's:\n"
                f"sha256 {record.digest_received}",
                highlight=False,
            )
        for line in wrong:
            self.console.print(f"[bold red]not as it should be:[/] {line}")
        if not wrong:
            self.console.print("The story ended justly.")
        self.console.print(f"report: {page}", soft_wrap=True, highlight=False)

    def say(self, line: str, style: str = "") -> None:
        """One line."""
        self.log.append(line)
        self.console.print(line, style=style, highlight=False)


def who_got_what(record: SessionRecord) -> Table:
    """One line a party: what it gained or lost besides gas, and for what."""
    table = Table(
        title=Text("Who got what, and why (gas aside)", style="bold"),
        title_justify="left",
        box=None,
        show_header=False,
        padding=(0, 2, 0, 0),
    )
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    outcomes = {provider.name: provider.outcome for provider in record.providers}
    entered = {entry.party: entry for entry in record.ledger}
    for party, entry in entered.items():
        why = _why_provider(record, entry, outcomes[party]) if party in outcomes else None
        table.add_row(party, _signed(record, _gain(entry)), Text(why or _why_collector(record)))
    for party, outcome in outcomes.items():
        if party not in entered:
            table.add_row(party, _signed(record, 0), Text(outcome))
    return table


def _why_provider(record: SessionRecord, entry: LedgerEntry, outcome: str) -> str:
    if entry.party == record.winner:
        return "its dataset was bought; its deposit is back"
    return outcome if _gain(entry) else f"{outcome}; its deposit is back"


def _why_collector(record: SessionRecord) -> str:
    """What the collector's gain is made of; what providers gained or lost it paid or got."""
    reasons = []
    for entry in record.ledger:
        gain = _gain(entry)
        if entry.party == record.winner:
            reasons.append(f"bought the dataset of {entry.party}")
        elif entry.party in {provider.name for provider in record.providers}:
            if gain > 0:
                reasons.append(f"compensated {entry.party} with {_coins(record, gain)}")
            elif gain < 0:
                reasons.append(f"got {_coins(record, -gain)} that {entry.party} forfeited")
    if record.winner is None:
        reasons.insert(0, "no deal; its escrow went back")
    return "; ".join(reasons)


def _gain(entry: LedgerEntry) -> int:
    return entry.paid_out + entry.claimable - entry.paid_in


def _signed(record: SessionRecord, units: int) -> str:
    return ("+" if units > 0 else "") + _coins(record, units)


def _coins(record: SessionRecord, units: int) -> str:
    return f"{amount(units, record.decimals)} {record.currency}"
