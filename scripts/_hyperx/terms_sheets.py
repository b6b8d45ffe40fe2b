"""What a provider agrees to, as tables: the task, the terms, what it costs and the worst of it."""

from __future__ import annotations

from datetime import UTC, datetime

from offchain.crypto.settlement import NATIVE, Settlement
from offchain.hyperx.costs import outcomes, provider_gas
from offchain.hyperx.terms import Terms
from offchain.report.money import signed
from offchain.report.sheets import Row, Sheet
from offchain.report.text import GWEI, amount, ether, plain, whole
from offchain.task import Task
from offchain.task.checks import told
from scripts._stage.money import currency

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
        "contact": ", ".join(plain(one) for one in task.contact) or "none",
    }
    return _said("The task", rows)


def terms_sheet(terms: Terms, now: int) -> Sheet:
    """What was fixed when the session was created. now: Unix time in seconds."""
    coin, decimals = currency(terms.token)
    minutes = terms.response_time / 60
    rows = {
        "collector": terms.collector,
        "reward": f"{amount(terms.reward, decimals)} {coin}",
        "deposit": f"{amount(terms.deposit, decimals)} {coin}",
        "paid in": "the native coin" if terms.token == NATIVE else terms.token,
        "dataset": f"{terms.shard_count:,} shards of {terms.shard_size:,} samples",
        "opened": f"{terms.sample_limit:,} shards at most",
        "key": "published" if terms.settlement == Settlement.OPEN else "sealed to the collector",
        "registration": f"until {_time(terms.registration_end)}",
        "features": f"until {_time(terms.submission_end)}",
        "each answer": f"within {minutes:g} minutes",
        "money locked": f"until {_time(terms.expiry)} at most, {(terms.expiry - now) / 3600:.1f} h",
    }
    return _said("The terms", rows)


def costs_sheet(terms: Terms, price_gwei: float) -> Sheet:
    """Gas of a provider's calls, from above. price_gwei: for a unit of gas."""
    calls = provider_gas(terms)
    price = round(price_gwei * GWEI)
    rows = tuple(Row((call, whole(gas), ether(gas * price))) for call, gas in calls.items())
    total = sum(calls.values())
    return Sheet(
        "What it costs at most",
        ("call", "gas", "ETH"),
        1,
        rows,
        ("all, if you are chosen", whole(total), ether(total * price)),
        f"At {price_gwei:g} gwei. Who is not chosen pays for the first two and the last.",
    )


def worst_sheet(terms: Terms) -> Sheet:
    """What may happen, and by whom."""
    coin, decimals = currency(terms.token)
    rows = tuple(
        Row((one.what, one.by, signed(one.gain, decimals)), one.gain < 0) for one in outcomes(terms)
    )
    return Sheet(
        "What may happen",
        ("what", "by", coin),
        2,
        rows,
        note="Besides gas. Answers that come too late may have given your data away.",
    )


def _said(title: str, rows: dict[str, str]) -> Sheet:
    return Sheet(title, ("", ""), 2, tuple(Row((name, said)) for name, said in rows.items()))


def _time(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%d %B %H:%M} UTC"
