"""The reports of `ape run federate` and `ape run audit`: a page, a record and plots."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.report.figures import png
from offchain.report.page import Page, Picture, Section
from offchain.report.text import percent
from offchain.seccl.audit import Findings
from scripts._seccl.plots import accuracy_figure, points_figure
from scripts._seccl.record import AuditRecord, Record
from scripts._seccl.sheets import findings_sheet, gas_sheet, members_sheet, rounds_sheet
from scripts._stage.report import Report, as_json

_POINTS = "Borda points of each member in each round; a cross marks who was elected."


def report_of(record: Record, findings: Findings, events: Sequence[str]) -> Report:
    """A whole session. events: what was told while it was played."""
    accuracy = png(accuracy_figure(record))
    winners = [one.winners for one in record.rounds]
    names = [f"{one.name}{' (attacker)' if one.hostile else ''}" for one in record.members]
    points = png(points_figure([one.totals for one in record.rounds], winners, names))
    accuracies = [one.accuracy for one in record.rounds]
    page = Page(
        title="federate",
        headline=headline(record),
        verdict=record.conclusions[-1],
        good=(record.lie == "none") == (record.convicted is None),
        sections=(
            Section(
                "Model",
                (Picture(accuracy, "Accuracy of the global model on the test set by round."),),
                (rounds_sheet(winners, findings.digests, accuracies),),
            ),
            Section("Members", (Picture(points, _POINTS),), (members_sheet(record),)),
            Section("Conclusions", lines=record.conclusions),
            Section(
                "Audit",
                sheets=(findings_sheet(findings),),
                lines=(*record.refused, *record.lenient, *record.faults),
            ),
            Section("Gas", sheets=(gas_sheet(record),)),
            Section(
                "Circumstances",
                facts=(
                    ("Session", record.session),
                    ("Board", record.board),
                    ("Consensus", record.consensus),
                    ("Chain", str(record.chain_id)),
                    ("Seconds", f"{record.seconds:.0f}"),
                    *((name, str(value)) for name, value in record.options.items()),
                ),
            ),
            Section("Events", lines=tuple(events)),
        ),
    )
    return Report(page, as_json(record), {"accuracy.png": accuracy, "points.png": points})


def headline(record: Record) -> str:
    """How far the model came, in one sentence."""
    return (
        f"accuracy {percent(record.first_accuracy)} before, "
        f"{percent(record.rounds[-1].accuracy)} after {len(record.rounds)} rounds"
    )


def audit_report(record: AuditRecord, findings: Findings) -> Report:
    """The report of an audit: the rounds that closed, and all that was compared."""
    done = len(findings.results)
    files = {}
    pictures: tuple[Picture, ...] = ()
    if done:
        names = [f"member {number}" for number in range(len(record.totals[0]))]
        files["points.png"] = png(points_figure(record.totals, record.winners, names))
        pictures = (Picture(files["points.png"], _POINTS),)
    page = Page(
        title="audit",
        headline=f"{done} of {record.rounds} rounds of session {record.session} checked",
        verdict=rounds_left(record) or "All is as it should be.",
        good=None if rounds_left(record) else True,
        sections=(
            Section("Audit", sheets=(findings_sheet(findings),)),
            Section("Rounds", pictures, (rounds_sheet(record.winners, record.digests),)),
            Section(
                "Not used, and against the rules",
                lines=(*record.refused, *record.lenient, *record.faults),
            ),
            Section(
                "Circumstances",
                facts=(
                    ("Board", record.board),
                    ("Consensus", record.consensus),
                    ("Chain", str(record.chain_id)),
                ),
            ),
        ),
    )
    return Report(page, as_json(record), files)


def faults_found(record: AuditRecord) -> str:
    """That somebody broke the rules, in one line; "" where nobody did."""
    count = len(record.faults)
    return f"results and models are right, the rules were broken {count} times" if count else ""


def rounds_left(record: AuditRecord) -> str:
    """That the session is not over, in one line; "" where it is."""
    done = len(record.winners)
    if done == record.rounds:
        return ""
    return f"{done} of {record.rounds} rounds are done; these are as they should be"
