"""What a provider agrees to, as tables: the terms, what it costs and the worst of it."""

from __future__ import annotations

from offchain.crypto.settlement import NATIVE, Settlement
from offchain.hyperx.costs import outcomes, provider_gas
from offchain.hyperx.terms import Terms
from offchain.report.outcomes import outcomes_sheet
from offchain.report.sheets import Sheet
from offchain.report.text import amount
from scripts._stage.money import currency
from scripts._stage.party_sheets import gas_sheet, said_sheet, time_of


def terms_sheet(terms: Terms, now: int, kept: str) -> Sheet:
    """What was fixed when the session was created. now: Unix time in seconds. kept: what the
    provider has to keep, and how long."""
    coin, decimals = currency(terms.token)
    minutes, hours = terms.response_time / 60, (terms.expiry - now) / 3600
    rows = {
        "collector": terms.collector,
        "reward": f"{amount(terms.reward, decimals)} {coin}",
        "deposit": f"{amount(terms.deposit, decimals)} {coin}",
        "paid in": "the native coin" if terms.token == NATIVE else terms.token,
        "dataset": f"{terms.shard_count:,} shards of {terms.shard_size:,} samples",
        "opened": f"{terms.sample_limit:,} shards at most",
        "key": "published" if terms.settlement == Settlement.OPEN else "sealed to the collector",
        "registration": f"until {time_of(terms.registration_end)}",
        "features": f"until {time_of(terms.submission_end)}",
        "each answer": f"within {minutes:g} minutes",
        "you keep": kept,
        "money locked": f"until {time_of(terms.expiry)} at most, {hours:.1f} h",
    }
    return said_sheet("The terms", rows)


def costs_sheet(terms: Terms, price_gwei: float) -> Sheet:
    """Gas of a provider's calls, from above. price_gwei: for a unit of gas."""
    return gas_sheet(
        provider_gas(terms),
        price_gwei,
        "all, if you are chosen",
        "Who is not chosen pays for the first two and the last.",
    )


def worst_sheet(terms: Terms) -> Sheet:
    """What may happen, and by whom."""
    coin, decimals = currency(terms.token)
    note = "Besides gas. Answers that come too late may have given your data away."
    return outcomes_sheet(outcomes(terms), coin, decimals, note)
