"""What `ape run share` prints while it runs and when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from offchain.sum.rules import DAY
from offchain.sum.simulation import Simulation
from scripts._stage.telling import Telling
from scripts._sum.record import Record
from scripts._sum.report import headline
from scripts._sum.sheets import sheets


class ShareTelling(Telling):
    """Tells of a shared model."""

    _told = ""

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
            self.say(f"day {simulation.now / DAY:5.2f}  {told}")

    def end(self, record: Record, files: Sequence[Path]) -> None:
        """Tables of what came of it, and where it is written."""
        self.sheets(sheets(record))
        self.show(f"{headline(record)}; {record.seconds:.0f} s")
        self.wrote(files)
