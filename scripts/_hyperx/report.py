"""The report of an `ape run trade`: a page, a record and two pictures."""

from __future__ import annotations

from offchain.hyperx.report.figures import gas_figure, scores_figure
from offchain.hyperx.report.page import session_page
from offchain.hyperx.report.record import SessionRecord
from offchain.report.figures import png
from scripts._stage.report import Report


def report_of(record: SessionRecord) -> Report:
    """All of it, drawn and ready to be written."""
    scores, gas = png(scores_figure(record)), png(gas_figure(record))
    return Report(
        session_page(record, scores, gas),
        record.to_json(),
        {"scores.png": scores, "gas.png": gas},
    )
