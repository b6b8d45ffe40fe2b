"""What a party agrees to, as tables: the task, what is said of terms, and what calls cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from offchain.report.sheets import Row, Sheet
from offchain.report.text import GWEI, ether, plain, whole
from offchain.task import Task
from offchain.task.checks import DAY, told

_CLASSES = 12


def task_sheet(task: Task) -> Sheet:
    """What is asked for."""
    named = ", ".join(plain(one, 40) for one in task.classes[:_CLASSES])
    more = len(task.classes) - _CLASSES
    rows = {
        "samples": f"{task.modality}, {told(task.shape)}",
        "classes": f"{named}{f' and {more:,} more' if more > 0 else ''}",
        "licence": plain(task.licence),
        "may contain": plain(task.content) or "nothing is said",
        "at least": f"{task.least.samples:,} in all, {task.least.per_class:,} of each class that "
        f"there is, {task.least.distinct:,} distinct",
        "content kept": kept_until(task),
        "contact": ", ".join(plain(one) for one in task.contact) or "none",
    }
    return said_sheet("The task", rows)


def kept_until(task: Task) -> str:
    """How long whoever stores content promises to keep it."""
    return f"until {task.retention / DAY:g} days after the end" if task.retention else "to the end"


def kept_told(size: int, seconds: int) -> str:
    """What it costs to keep content. size: its bytes. seconds: how long at most."""
    days = seconds / DAY
    return f"{size / 1e6:,.2f} MB for {days:,.1f} days at most, {size * days / 1e6:,.2f} MB x days"


def said_sheet(title: str, rows: Mapping[str, str]) -> Sheet:
    """What is said of each thing, by its name."""
    return Sheet(title, ("", ""), 2, tuple(Row((name, said)) for name, said in rows.items()))


def gas_sheet(calls: Mapping[str, int], price_gwei: float, whole_of: str, note: str) -> Sheet:
    """Gas of a party's calls, from above.

    price_gwei: for a unit of gas. whole_of: what the sum is of. note: follows the price.
    """
    price, total = round(price_gwei * GWEI), sum(calls.values())
    rows = tuple(Row((call, whole(gas), ether(gas * price))) for call, gas in calls.items())
    return Sheet(
        "What it costs at most",
        ("call", "gas", "ETH"),
        1,
        rows,
        (whole_of, whole(total), ether(total * price)),
        f"At {price_gwei:g} gwei. {note}",
    )


def time_of(timestamp: int) -> str:
    """A time in Unix seconds, for people."""
    return f"{datetime.fromtimestamp(timestamp, UTC):%d %B %H:%M} UTC"
