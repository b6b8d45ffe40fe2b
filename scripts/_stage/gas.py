"""Gas by call of a run: what is kept of it, and its table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from offchain.report.sheets import Row, Sheet
from offchain.report.text import ether, gas_cost, whole
from scripts._stage.chain import Receipt


@dataclass(frozen=True)
class CallRecord:
    """Gas of one of the contracts' calls."""

    name: str
    count: int
    least: int
    mean: float
    most: int


def calls_of(receipts: Iterable[Receipt]) -> tuple[CallRecord, ...]:
    """Gas by call, in the order in which they were first made."""
    used: dict[str, list[int]] = defaultdict(list)
    for receipt in receipts:
        used[receipt.call].append(receipt.gas)
    return summed(used)


def summed(used: Mapping[str, Sequence[int]]) -> tuple[CallRecord, ...]:
    """used: gas of each call, by name."""
    return tuple(
        CallRecord(name, len(gas), min(gas), sum(gas) / len(gas), max(gas))
        for name, gas in used.items()
    )


def calls_sheet(calls: Iterable[CallRecord], gas_price_gwei: float, note: str = "") -> Sheet:
    """The table of `calls` at a gas price in gwei. note: follows the gas price."""
    rows = tuple(
        Row(
            (
                call.name,
                str(call.count),
                whole(call.least),
                whole(round(call.mean)),
                whole(call.most),
                ether(gas_cost(round(call.mean), gas_price_gwei)),
            )
        )
        for call in calls
    )
    heads = ("call", "calls", "least", "mean", "most", "mean [ETH]")
    return Sheet("Gas by call", heads, 1, rows, note=f"{gas_price_gwei:g} gwei. {note}".rstrip())
