"""Money of the parties: the same record and the same table in all reports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import ConfigDict, Field
from pydantic.dataclasses import dataclass

from offchain.report.sheets import Row, Sheet
from offchain.report.text import amount, ether, plain, rounded

Amount = Annotated[int, Field(ge=0)]
"""Coins in the smallest unit (wei). JSON holds it as an integer, exact at any size."""


@dataclass(frozen=True, config=ConfigDict(strict=True, extra="forbid"))
class Money:
    """What one party had and has, in the smallest unit of what pays.

    before: held before it put anything up. after: holds at the end. claimable: the contract owes it
    besides. fees: of its transactions, in wei of the native coin. gain: after and claimable less
    before, fees set aside. why: what the gain is made of, a few words.
    """

    party: str
    before: Amount
    after: Amount
    fees: Amount
    gain: int
    claimable: Amount = 0
    why: str = ""


def money_sheet(rows: Sequence[Money], currency: str, decimals: int) -> Sheet:
    """Who had what before and after, and gained what; columns that nobody needs are left out.

    currency, decimals: how amounts are written. Sums to nothing where no coin is lost: the note
    says whether it does.
    """
    told, owed = any(one.why for one in rows), any(one.claimable for one in rows)

    def cells(one: Money) -> tuple[str, ...]:
        return (
            plain(one.party),
            *([plain(one.why)] if told else []),
            rounded(one.before, decimals),
            rounded(one.after, decimals),
            *([amount(one.claimable, decimals)] if owed else []),
            signed(one.gain, decimals),
            ether(one.fees),
        )

    headers = (
        "party",
        *(["for"] if told else []),
        *("before", "after"),
        *(["claimable"] if owed else []),
        *("gain", "gas (ETH)"),
    )
    total = sum(one.gain for one in rows)
    left = (
        "no coin is unaccounted for"
        if total == 0
        else f"{amount(abs(total), decimals)} {plain(currency)} more came out than went in"
        if total > 0
        else f"{amount(-total, decimals)} {plain(currency)} stay in the contract and are nobody's"
    )
    return Sheet(
        f"Money, in {plain(currency)}",
        headers,
        2 if told else 1,
        tuple(Row(cells(one)) for one in rows),
        note=f"Gas at this chain's own price. Gain is after{' and claimable' if owed else ''} less "
        f"before, gas set aside; it sums to {amount(total, decimals)}: {left}.",
    )


def signed(units: int, decimals: int) -> str:
    """A gain or a loss in whole coins, exact, with its sign."""
    return ("+" if units > 0 else "") + amount(units, decimals)
