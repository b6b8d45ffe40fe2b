"""What may come of taking part, before anything is agreed to: in money, and by whose doing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from offchain.report.money import signed
from offchain.report.sheets import Row, Sheet


@dataclass(frozen=True)
class Outcome:
    """What may happen to a party.

    Attributes:
        what: a few words. by: whose silence, lie or choice it takes.
        gain: in the smallest unit of the currency, gas aside; negative for a loss.
    """

    what: str
    by: str
    gain: int


def outcomes_sheet(outcomes: Iterable[Outcome], coin: str, decimals: int, note: str) -> Sheet:
    """What may happen, and by whom. coin, decimals: how amounts are written."""
    rows = tuple(
        Row((one.what, one.by, signed(one.gain, decimals)), one.gain < 0) for one in outcomes
    )
    return Sheet("What may happen", ("what", "by", coin), 2, rows, note=note)
