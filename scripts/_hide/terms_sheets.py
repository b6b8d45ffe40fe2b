"""What buyer and seller agree to, as tables: the terms, and what each level is."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.crypto.settlement import NATIVE, Settlement
from offchain.hide.sale.catalogue import Catalogue
from offchain.hide.sale.listings import Listing
from offchain.hide.sale.session import SaleSession
from offchain.hide.sale.stock import Conditions
from offchain.report.sheets import Row, Sheet
from offchain.report.text import amount, percent, plain
from scripts._stage.money import currency
from scripts._stage.party_sheets import said_sheet, time_of


def offer_sheet(conditions: Conditions, closing: int) -> Sheet:
    """What a seller is about to offer. closing: in Unix seconds."""
    coin, decimals = currency(conditions.token)
    rows = {
        "funds put up": f"{amount(conditions.funds, decimals)} {coin}",
        "stake of a sale": f"{amount(conditions.stake, decimals)} {coin}",
        **_common(conditions),
        "sold": f"until {time_of(closing)}",
    }
    return said_sheet("The terms", rows)


def terms_sheet(session: SaleSession, level: int, paid: int) -> Sheet:
    """What a buyer of a level, counted from 0, agrees to. paid: the price less its credit."""
    listing = session.listed
    coin, decimals = currency(listing.token)
    rows = {
        "seller": listing.seller,
        "level": f"{level + 1} of {len(listing.levels)}",
        "price": f"{amount(listing.levels[level].price, decimals)} {coin}",
        "you pay": f"{amount(paid, decimals)} {coin}",
        "stake of the seller": f"{amount(listing.stake, decimals)} {coin}",
        **_common(listing),
    }
    return said_sheet("The terms", rows)


def levels_sheet(claimed: Sequence[float], prices: Sequence[int], token: str, note: str) -> Sheet:
    """What each level is said to teach, and its price."""
    coin, decimals = currency(token)
    rows = tuple(
        Row((str(number), percent(accuracy), amount(price, decimals)))
        for number, (accuracy, price) in enumerate(zip(claimed, prices, strict=True), 1)
    )
    return Sheet("Levels", ("level", "claimed", coin), 1, rows, note=note)


def catalogue_note(told: Catalogue) -> str:
    """What a seller says of its levels, which nobody has checked."""
    return (
        f"Accuracies are the seller's word, on the network {plain(told.network)}. By it the masked "
        f"pictures alone teach {percent(told.masked)}, and {plain(told.counter)} regains "
        f"{percent(told.regained)} for nothing."
    )


def _common(terms: Conditions | Listing) -> dict[str, str]:
    sealed = terms.settlement is Settlement.SEALED
    return {
        "paid in": "the native coin" if terms.token == NATIVE else terms.token,
        "key": "sealed to the buyer" if sealed else "published",
        "key comes": f"within {terms.delivery_time / 60:g} minutes, or the price is paid back",
        "faults proved": f"within {terms.dispute_time / 60:g} minutes of the key",
    }
