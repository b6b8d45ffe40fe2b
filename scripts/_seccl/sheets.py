"""The tables of `ape run federate` and `ape run audit`."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.report.sheets import Row, Sheet
from offchain.report.text import percent, whole
from offchain.seccl.audit import Findings
from scripts._seccl.record import Record
from scripts._stage.gas import calls_sheet


def gas_sheet(record: Record) -> Sheet:
    """Gas of each kind of call, and what it costs at the record's gas price."""
    note = "A relay carries the ballots of all members."
    return calls_sheet(record.calls, record.gas_price_gwei, note)


def members_sheet(record: Record) -> Sheet:
    """Who was elected how often, and the Borda points of each; who was screened out; what was spent
    of privacy."""
    screen = bool(record.options["screen"])
    names = ["member", "plays", "elected", "points", "since the attack", "gas"]
    names += ["screened out"] * screen + ["epsilon"] * (record.image_privacy is not None)
    rows = [
        Row(
            (
                member.name,
                "attacker" if member.hostile else "honest",
                str(member.elected),
                whole(member.points),
                whole(member.points_attacked) if record.attack != "none" else "-",
                whole(member.gas),
                *[str(member.screened)] * screen,
                *([] if member.epsilon is None else [f"{member.epsilon:.3f}"]),
            )
        )
        for member in record.members
    ]
    note = f"Of {len(record.rounds)} rounds, {record.elected} seats each; Borda points over all."
    if record.image_privacy is not None:
        note += (
            f" Epsilon at delta {record.options['delta']:g}: spent by each image trained on; the "
            "images that members evaluate by are not covered."
        )
    return Sheet("Members", tuple(names), 2, tuple(rows), note=note)


def findings_sheet(findings: Findings) -> Sheet:
    """How many messages, receipts, evaluations and ballots an audit compared."""
    counts = {
        "messages, hash on the board": findings.messages,
        "of these posted by their authors": findings.own_posts,
        "leaves of batches": findings.leaves,
        "receipts, signature": findings.receipts,
        "evaluations": findings.evaluations,
        "ballots, against the evaluation": findings.ballots,
        "results, counted again": len(findings.results),
        "global models, computed again": len(findings.digests),
    }
    if any(findings.copied):
        counts["copies, screened out again"] = sum(map(len, findings.copied))
    rows = tuple(Row((name, whole(count))) for name, count in counts.items())
    right = "Results and models are right." if findings.faults else "All right."
    note = f"{right} The last model's SHA-256 is {findings.digests[-1]}."
    return Sheet("Audit: what was checked", ("what", "number"), 1, rows, note=note)


def rounds_sheet(
    winners: Sequence[Sequence[int]], digests: Sequence[str], accuracies: Sequence[float] = ()
) -> Sheet:
    """Of each round who was elected, the model after it, and its accuracy where it is known.

    digests: before the first round and after each. accuracies: after each.
    """
    rows = tuple(
        Row(
            (
                str(number),
                ", ".join(map(str, elected)),
                *([percent(accuracies[number])] if accuracies else []),
                digests[number + 1][:16],
            )
        )
        for number, elected in enumerate(winners)
    )
    heads = ["round", "elected", *["accuracy"] * bool(accuracies), "model's SHA-256, begins"]
    return Sheet("Rounds", tuple(heads), len(heads), rows)
