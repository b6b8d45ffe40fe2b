"""What an author agrees to, as tables: the model, its terms, and what may come of teaching it."""

from __future__ import annotations

from offchain.crypto.settlement import NATIVE
from offchain.report.outcomes import Outcome, outcomes_sheet
from offchain.report.sheets import Sheet
from offchain.report.text import amount
from offchain.sum.author import Limits
from offchain.sum.model import ModelTerms, SharedModelState, Waits
from scripts._stage.money import currency
from scripts._stage.party_sheets import said_sheet


def waits_rows(waits: Waits) -> dict[str, str]:
    """The waits, for people."""
    return {
        "a refund": f"announced {_told(waits.refund)} after a contribution",
        "its author": f"alone for {_told(waits.author)} after that",
        "a verdict": f"claimed {_told(waits.verdict)} after its announcement",
        "left alone": f"taken over after {_told(waits.anyone)}; then income is shared",
        "quiet": f"{_told(waits.quiet)} after a lesson nothing is announced or claimed",
    }


def terms_sheet(terms: ModelTerms, state: SharedModelState, classifier: str) -> Sheet:
    """What was fixed when the model was made, and how far it is."""
    coin, decimals = currency(terms.token)
    price = terms.price
    costs = sorted({price.agree_cost, price.disagree_cost})
    rows = {
        "owner": terms.owner,
        "classifier": classifier,
        "paid in": "the native coin" if terms.token == NATIVE else terms.token,
        "deposit": f"{amount(price.deposit(3_600), decimals)} {coin} an hour after a lesson, "
        f"{amount(price.largest_deposit, decimals)} at most",
        "cost": " or ".join(f"{amount(one, decimals)} {coin}" for one in costs)
        + " of each contribution, to those whose data proved good",
        **waits_rows(terms.waits),
        "so far": f"{state.lessons:,} contributions, {sum(state.good.values()):,} proved good",
    }
    return said_sheet("The terms", rows)


def worst(terms: ModelTerms, lessons: int, limits: Limits) -> list[Outcome]:
    """What may come of so many contributions, best first; income from others' not counted."""
    price = terms.price
    deposit = min(price.largest_deposit, limits.deposit or price.largest_deposit)
    cost = max(price.agree_cost, price.disagree_cost)
    if limits.cost is not None:
        cost = min(cost, limits.cost)
    lost = lessons * (cost + deposit)
    if limits.stake is not None:
        lost = min(lost, limits.stake)
    return [
        Outcome("all your data proves good", "the model", -lessons * cost),
        Outcome(
            "all is reported: the model denies it",
            f"who turns the model, for {_told(terms.waits.verdict)} in which you do not answer",
            -lost,
        ),
        Outcome(
            "you do not come back until all is taken over",
            "your silence",
            -lost,
        ),
    ]


def worst_sheet(terms: ModelTerms, lessons: int, limits: Limits) -> Sheet:
    """What may happen, and by whom."""
    coin, decimals = currency(terms.token)
    return outcomes_sheet(
        worst(terms, lessons, limits),
        coin,
        decimals,
        "At most, besides gas; income from what others pay comes on top. An answer to an attack "
        "costs a contribution more, within --most-stake.",
    )


def _told(seconds: int) -> str:
    """A length of time, for people."""
    for unit, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds % unit == 0 and seconds >= unit:
            return f"{seconds // unit} {name[:-1] if seconds == unit else name}"
    return f"{seconds:,} seconds"
