"""How values are written for people, the same in the terminal, on plots and on the page."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

MAX_CHARS = 80
"""Longest text of a stranger that is shown; the record has it in full."""

GWEI = 10**9


def plain(text: str, limit: int = MAX_CHARS) -> str:
    """`text` as one printable line of at most `limit` characters.

    Names come from strangers. Control characters, which could drive a terminal, and those
    that reverse the direction of writing are spelled out; what is cut off ends in "...".
    """
    # Cut first: the rest of a text of megabytes is not worth spelling out.
    safe = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: limit + 1])
    return safe if len(safe) <= limit else safe[: limit - 3] + "..."


def whole(number: int) -> str:
    """A whole number with commas between thousands, such as 12,345."""
    return f"{number:,}"


def percent(share: float | None) -> str:
    """A share of 1 as `93.4 %`, `-` where there is none."""
    return "-" if share is None else f"{100 * share:.1f} %"


def interval(low: float | None, high: float | None) -> str:
    """Two shares of 1 as `90.1-95.2 %`, `-` where they are missing."""
    return "-" if low is None or high is None else f"{100 * low:.1f}-{percent(high)}"


def amount(units: int, decimals: int = 18) -> str:
    """A number of smallest units in whole coins, exact, as `1.25` or `-0.5`."""
    # Placing the point by text is exact at any size; Decimal's context would round.
    digits = str(abs(units)).rjust(decimals + 1, "0")
    point = len(digits) - decimals
    fraction = digits[point:].rstrip("0")
    sign = "-" if units < 0 else ""
    return f"{sign}{int(digits[:point]):,}{'.' if fraction else ''}{fraction}"


def rounded(units: int, decimals: int = 18) -> str:
    """A number of smallest units in whole coins, rounded to six places, as `1.250000`."""
    value = Decimal(units).scaleb(-decimals)
    return f"{value.quantize(Decimal('1e-6'), ROUND_HALF_EVEN):,}"


def ether(wei: int) -> str:
    """Wei in ether, rounded to six places: the grain at which fees are worth comparing."""
    return rounded(wei)


def gas_cost(gas: int, price_gwei: float) -> int:
    """Wei paid for `gas` at `price_gwei`."""
    return gas * round(price_gwei * GWEI)


def markdown(headers: tuple[str, ...], rows: Sequence[tuple[str, ...]], texts: int = 1) -> str:
    """A table; the first `texts` columns are left-aligned, the others right."""
    marks = ["---" if i < texts else "---:" for i in range(len(headers))]
    lines = [headers, tuple(marks), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
