"""Tables for the terminal, as rich renderables, and for documents, as Markdown."""

from __future__ import annotations

from rich.table import Table

from offchain.hyperx.report import sheets
from offchain.hyperx.report.record import SessionRecord
from offchain.report.tables import render


def providers_table(record: SessionRecord) -> Table:
    """Providers, best score first: true corruption, score with interval, deposit, payout."""
    return render(sheets.providers_sheet(record))


def scores_table(record: SessionRecord) -> Table:
    """Score with interval, macro F1 and the baselines' scores of each provider."""
    return render(sheets.scores_sheet(record))


def gas_by_party_table(record: SessionRecord) -> Table:
    """What each party paid, in gas and in ether at the record's price."""
    return render(sheets.gas_by_party_sheet(record))


def gas_by_call_table(record: SessionRecord) -> Table:
    """Mean gas of each call beside the paper's Table 1."""
    return render(sheets.gas_by_call_sheet(record))


def ledger_table(record: SessionRecord) -> Table:
    """What each party paid in, was paid out, may claim, and has locked."""
    return render(sheets.ledger_sheet(record))
