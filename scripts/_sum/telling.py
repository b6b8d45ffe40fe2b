"""What `ape run share` prints while it runs and when it is over."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from offchain.data.imageset import Progress
from offchain.report.tables import render
from offchain.sum.rules import DAY
from offchain.sum.simulation import Simulation
from scripts._stage.gas import calls_sheet
from scripts._stage.waiting import doing
from scripts._sum.report import Record


class ShareTelling:
    """Prints to a console of its own."""

    def __init__(self) -> None:
        self._console = Console(width=100)
        self._told = ""

    def doing(self, what: str) -> AbstractContextManager[Progress]:
        """See `doing`."""
        return doing(self._console, what)

    def state(self, simulation: Simulation) -> None:
        """Accuracy and balances as they stand; nothing while nobody gains or loses."""
        coin = simulation.setting.coin
        balances = ", ".join(
            f"{agent.name} {balance / coin:,.2f}"
            for agent, balance in zip(simulation.setting.agents, simulation.balances, strict=True)
        )
        accuracy = simulation.accuracies[-1][1]
        told = f"{simulation.submitted:>5} submitted  accuracy {accuracy:6.1%}  {balances}"
        if told != self._told:
            self._told = told
            self._console.print(f"day {simulation.now / DAY:5.2f}  {told}", highlight=False)

    def end(self, record: Record, files: list[Path]) -> None:
        """Tables of what came of it, and where it is written."""
        agents = Table(title="agents; money in coins, a thousandth of an ether each")
        for head in ("agent", "submitted", "refunded", "reported", "taken"):
            agents.add_column(head, justify="left" if head == "agent" else "right", no_wrap=True)
        for head in ("balance", "gained", "gas, ether"):
            agents.add_column(head, justify="right")
        for one in record.agents:
            agents.add_row(
                one.name,
                *map(str, (one.submitted, one.refunded, one.reported, one.taken_over)),
                f"{one.balance:,.2f}",
                f"{one.balance - one.start_balance:+,.2f}",
                f"{one.gas * record.gas_price_gwei * 1e-9:.5f}",
            )
        self._console.print(agents, render(calls_sheet(record.calls, record.gas_price_gwei)))
        self._console.print(
            f"accuracy {record.accuracies[0][1]:.1%} before, {record.accuracies[-1][1]:.1%} after; "
            f"{record.checked:,} answers of the chain were the simulation's, none differed; "
            f"{record.seconds:.0f} s",
            highlight=False,
        )
        for file in files:
            self._console.print(str(file), highlight=False)
