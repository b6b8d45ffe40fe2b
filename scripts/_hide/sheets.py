"""The tables of a sale, written once for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from offchain.hide.countermeasures import Regained, best
from offchain.report.money import money_sheet
from offchain.report.sheets import Row, Sheet
from offchain.report.text import amount, percent, plain, whole
from scripts._hide.record import LevelRecord, SaleRecord
from scripts._stage.gas import calls_sheet
from scripts._stage.telling import Telling

REFUSED = "Refused calls are in it."


def conclude(telling: Telling, record: SaleRecord, wrong: list[str], files: Sequence[Path]) -> None:
    """The tables, what came of it, whether it is as it should be, and where it is written."""
    telling.sheets(sheets(record))
    for line in record.conclusions:
        telling.say(line)
    telling.verdict(wrong)
    telling.show(f"{record.seconds:.0f} s")
    telling.wrote(files)


def sheets(record: SaleRecord) -> list[Sheet]:
    """All tables of a sale, in the order in which they are shown."""
    return [
        counters_sheet(record.counters, record.network),
        levels_sheet(record),
        buyers_sheet(record),
        calls_sheet(record.calls, record.gas_price_gwei, REFUSED),
        money_sheet(record.money, record.currency, record.decimals),
    ]


def counters_sheet(counters: Sequence[Regained], network: str) -> Sheet:
    """What each free counter-measure, at least one, regains by a network of that name."""
    strongest = best(counters)
    rows = [Row((one.name, percent(one.accuracy)), one is strongest) for one in counters]
    return Sheet(
        "Regained without paying",
        ("counter-measure", "accuracy"),
        1,
        tuple(rows),
        note=f"Anybody may train on the published data like this; by {network}.",
    )


def levels_sheet(record: SaleRecord) -> Sheet:
    """Accuracy and price of each level, beside what is free."""
    free = record.free

    def cells(one: LevelRecord) -> tuple[str, ...]:
        sold = sum(
            one.number in buyer.wanted and buyer.owned >= one.number for buyer in record.buyers
        )
        return (
            str(one.number),
            f"{free.name}, {percent(free.accuracy)}",
            percent(one.designed),
            percent(one.found),
            percent(one.verified),
            percent(one.verified - free.accuracy),
            amount(one.price, record.decimals),
            whole(one.file_bytes),
            str(sold),
        )

    return Sheet(
        "Levels",
        (
            *("level", "best free", "designed", "found", "verified", "above free"),
            *(f"price ({plain(record.currency)})", "file bytes", "sold"),
        ),
        2,
        tuple(Row(cells(one)) for one in record.levels),
        note=f"Accuracy on {record.tested} clean images. The published data alone gives "
        f"{percent(record.masked)}, unmasked data {percent(record.clean)}. Designed is what the "
        "seller claims; verified is by another network, or at least another seed, than the search.",
    )


def buyers_sheet(record: SaleRecord) -> Sheet:
    """What each bought, and how far it got with it."""
    rows = [
        Row(
            (
                one.name,
                ", then ".join(map(str, one.wanted)),
                plain(one.outcome, 120),
                ", ".join(percent(got.bought) for got in one.learned) or "-",
                ", ".join(percent(got.reached) for got in one.learned) or "-",
            )
        )
        for one in record.buyers
    ]
    return Sheet(
        "Accuracy bought and reached",
        ("buyer", "wants level", "outcome", "bought", "reached"),
        3,
        tuple(rows),
        note=f"Each trains {record.network} under a seed of its own with what it bought.",
    )
