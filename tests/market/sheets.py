"""What came of the market, as tables."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from offchain.report.sheets import Row, Sheet
from offchain.report.text import amount
from tests.market.market import Result

MIB = 2**20


def market_sheets(result: Result) -> Iterator[Sheet]:
    """Payouts, reactions, and memory."""
    yield Sheet(
        "What each was paid",
        ("mechanism", "party", "payout", "rehearsal", "sent", "gas", "reaction", "slowest"),
        2,
        tuple(
            Row(
                (
                    *(one.mechanism, one.party),
                    *(f"{amount(value, 18)}" for value in (one.gained, one.rehearsed)),
                    *(f"{one.sent:,}", f"{one.gas:,}"),
                    *(_seconds(one.reactions, kind) for kind in (median, max)),
                ),
                strong=one.gained != one.rehearsed,
            )
            for one in result.paid
        ),
        note="Payouts in the chain's coin, besides gas. Reaction: seconds from the block at which "
        "a party looked to the block with its answer, the median and the most. The keeper did "
        f"{result.kept} things.",
    )
    peaks = sorted(result.meter.peaks.items(), key=lambda one: -one[1])
    yield Sheet(
        "Most memory",
        ("process", "MiB"),
        1,
        tuple(Row((name, f"{size / MIB:,.0f}")) for name, size in peaks),
        ("all at a time", f"{result.meter.all_ / MIB:,.0f}"),
        f"Pages that several share are divided among them. {result.meter.processes} processes at "
        "a time at most.",
    )


def _seconds(reactions: list[float], kind: type) -> str:
    return f"{kind(reactions):.1f}" if reactions else ""
