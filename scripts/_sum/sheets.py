"""The tables of an `ape run share`, the same in the terminal and on the page."""

from __future__ import annotations

from offchain.report.sheets import Row, Sheet
from offchain.report.text import ether, gas_cost
from scripts._stage.gas import calls_sheet
from scripts._sum.record import Record


def sheets(record: Record) -> tuple[Sheet, Sheet]:
    """The table of agents and their money, and the table of calls and their gas."""
    return agents_sheet(record), calls_sheet(record.calls, record.gas_price_gwei)


def agents_sheet(record: Record) -> Sheet:
    """What each agent did, gained and paid for gas."""
    rows = tuple(
        Row(
            (
                one.name,
                *map(str, (one.submitted, one.refunded, one.reported, one.taken_over)),
                f"{one.balance:,.2f}",
                f"{one.balance - one.start_balance:+,.2f}",
                ether(gas_cost(one.gas, record.gas_price_gwei)),
            )
        )
        for one in record.agents
    )
    return Sheet(
        "Agents",
        (
            *("agent", "submitted", "refunded", "reported", "taken"),
            *("balance", "gained", "gas (ETH)"),
        ),
        1,
        rows,
        note="Money in coins, a thousandth of an ether each.",
    )
