"""The report of an `ape run share`: a page, a record and two plots."""

from __future__ import annotations

from offchain.report.figures import png
from offchain.report.page import Page, Picture, Section
from offchain.sum.result import Result
from scripts._stage.report import Report, as_json
from scripts._sum.figures import accuracy_figure, balances_figure
from scripts._sum.record import Record
from scripts._sum.sheets import sheets


def report_of(record: Record, result: Result) -> Report:
    """The report of a shared model, drawn and ready to be written."""
    balances, accuracy = png(balances_figure(result)), png(accuracy_figure(record))
    agents, calls = sheets(record)
    page = Page(
        title="share",
        headline=headline(record),
        verdict="Chain and simulation agreed in every amount, prediction, balance and weight.",
        good=True,
        sections=(
            Section("Agents", (Picture(balances, "Balance of each agent over days."),), (agents,)),
            Section("Model", (Picture(accuracy, "Accuracy on the test set over days."),)),
            Section("Gas", sheets=(calls,)),
            Section("Settings", facts=tuple((k, str(v)) for k, v in record.options.items())),
        ),
    )
    return Report(page, as_json(record), {"balances.png": balances, "accuracy.png": accuracy})


def headline(record: Record) -> str:
    """Accuracy, and how much was compared, in one sentence."""
    return (
        f"accuracy {record.accuracies[0][1]:.1%} before, {record.accuracies[-1][1]:.1%} after; "
        f"{record.checked:,} answers of the chain were the simulation's, none differed"
    )
