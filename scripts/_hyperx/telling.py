"""What `ape run trade` prints while it runs and when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from offchain.hyperx.report import sheets
from offchain.hyperx.report.record import LedgerEntry, SessionRecord
from offchain.report.text import amount
from scripts._stage.telling import Telling


class SessionTelling(Telling):
    """Tells of a trading session."""

    def session(self, address: str) -> None:
        """Where the session lives; off a local chain what --resume wants."""
        self.say(f"-- session {address}", "bold")

    def conclude(self, record: SessionRecord, wrong: list[str], files: Sequence[Path]) -> None:
        """The tables, who got what and why, whether it is as it should be, and where it is kept."""
        scores = [sheets.scores_sheet(record)] if record.baselines or record.efficacy else []
        self.sheets(
            (
                sheets.providers_sheet(record),
                *scores,
                sheets.gas_by_party_sheet(record),
                sheets.gas_by_call_sheet(record),
                sheets.ledger_sheet(record),
            )
        )
        self.console.print(who_got_what(record))
        self.console.print()
        if record.dataset_matches:
            self.show(
                f"{record.winner} wins. The collector's decrypted dataset equals the winner's:\n"
                f"sha256 {record.digest_received}"
            )
        self.verdict(wrong)
        self.wrote(files)


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
