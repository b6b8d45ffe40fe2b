"""What a buyer or a seller agrees to, as tables: terms, costs, the worst, and what is told."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.crypto.settlement import NATIVE, Settlement
from offchain.mde.costs import (
    buyer_gas,
    buyer_outcomes,
    seller_gas,
    seller_outcomes,
)
from offchain.mde.deals import Order
from offchain.mde.publishing import Purse
from offchain.mde.quoting import OrderTerms
from offchain.mde.telltale import artefact_tells, quote_tells, quotes_tell
from offchain.report.outcomes import outcomes_sheet
from offchain.report.sheets import Sheet
from scripts._mde.party import Voice
from scripts._stage.party_sheets import gas_sheet, said_sheet


def order_sheet(
    terms: OrderTerms | Order,
    budget: int,
    voice: Voice,
    *,
    buyer: str | None = None,
    purse: Purse | None = None,
    patience: int | None = None,
) -> Sheet:
    """What an order says. budget: what is left of it. purse, patience: what its buyer alone knows,
    the latter in seconds."""
    rows = {"buyer": buyer} if buyer else {}
    rows |= {
        "budget": voice.money(budget),
        "stake": f"{voice.money(terms.stake)}, lost to the buyer by a fault that is proved",
        "paid in": "the native coin" if terms.token == NATIVE else terms.token,
        "delivery": f"within {terms.delivery_time / 60:g} minutes of a purchase",
        "disputes": f"{terms.dispute_time / 60:g} minutes after it",
        "key": "published" if terms.settlement is Settlement.OPEN else "sealed to the buyer",
    }
    if purse is not None:
        rows["for one set"] = f"{voice.money(purse.floor)} to {voice.money(purse.most)}"
    if patience is not None:
        rows["you buy"] = f"{patience / 3600:g} hours after the order is posted"
    return said_sheet("The terms", rows)


def goods_sheet(originals: Sequence[bytes], samples: int) -> Sheet:
    """What a seller prices and what it sells. originals: the files of its samples; or none."""
    priced = f"{samples} pictures, decoded and resized to the task's shape"
    sold = (
        f"{len(originals)} files as they are, {sum(map(len, originals)) / 1e6:,.1f} MB, with all "
    )
    return said_sheet(
        "Your data",
        {
            "priced": priced,
            "sold": f"{sold}that they say of camera, place and time" if originals else "the same",
        },
    )


def tells_sheet(features: int) -> Sheet:
    """What an order tells of its buyer's data. features: values of a sample."""
    return said_sheet(
        "What your artefact tells",
        {
            "each seller that you invite": artefact_tells(features),
            "everybody": "the task, the budget, and prices and counts of what is quoted",
            "nobody": "your model itself; sellers get a simpler one that stands for it",
        },
    )


def quote_tells_sheet(quotes: int) -> Sheet:
    """What a quote tells of a seller's data. quotes: artefacts that it may be held against."""
    return said_sheet(
        "What your quote tells",
        {
            "the buyer, before it pays": f"{quote_tells()}, and how many samples there are",
            "all buyers together": quotes_tell(quotes),
            "everybody": "price and count; with a published key, once it is bought, your data",
        },
    )


def buyer_costs_sheet(price_gwei: float) -> Sheet:
    """Gas of a buyer's calls, from above. price_gwei: for a unit of gas."""
    note = "Each further set costs a purchase and an acceptance; a proof costs more than either."
    return gas_sheet(buyer_gas(), price_gwei, "all, for one set", note)


def seller_costs_sheet(settlement: Settlement, price_gwei: float) -> Sheet:
    """Gas of a seller's calls, from above. price_gwei: for a unit of gas."""
    note = "Who is not bought pays for the first and the last, and for a quote that both sign."
    return gas_sheet(seller_gas(settlement), price_gwei, "all, if you are bought", note)


def buyer_worst_sheet(terms: OrderTerms, budget: int, most: int, voice: Voice) -> Sheet:
    """What may happen to a buyer, and by whom."""
    outcomes = buyer_outcomes(terms, budget, most)
    return outcomes_sheet(outcomes, voice.coin, voice.decimals, "Besides gas.")


def seller_worst_sheet(order: Order, budget: int, voice: Voice) -> Sheet:
    """What may happen to a seller, and by whom."""
    note = "Besides gas. A key that comes too late may give your data away for nothing."
    outcomes = seller_outcomes(order.stake, budget)
    return outcomes_sheet(outcomes, voice.coin, voice.decimals, note)
