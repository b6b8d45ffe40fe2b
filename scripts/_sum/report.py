"""What is kept of an `ape run share`: a JSON record and two plots."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from matplotlib.figure import Figure

from offchain.sum.result import Result
from offchain.sum.rules import DAY
from scripts._stage.gas import CallRecord, summed

_DPI = 150
_STYLES = ("-", "--", ":", "-.")


@dataclass(frozen=True)
class AgentRecord:
    """One agent: how many of each call, balances in coins, and the gas it paid for."""

    name: str
    strategy: str
    submitted: int
    refunded: int
    reported: int
    taken_over: int
    refused: int
    start_balance: float
    balance: float
    gas: int


@dataclass(frozen=True)
class Record:
    """A run. accuracies: (day, share of the test set); checked: answers compared; wall seconds."""

    agents: tuple[AgentRecord, ...]
    calls: tuple[CallRecord, ...]
    accuracies: tuple[tuple[float, float], ...]
    ended_on_day: float
    gas_price_gwei: float
    checked: int
    seconds: float

    @staticmethod
    def of(
        result: Result,
        calls: dict[str, list[int]],
        gas: list[int],
        gas_price: float,
        *,
        checked: int,
        seconds: float,
    ) -> Record:
        """calls: gas of each, by name; gas: by agent; gas_price: gwei."""
        return Record(
            agents=tuple(
                AgentRecord(
                    name=agent.name,
                    strategy=agent.strategy,
                    submitted=tally.submitted,
                    refunded=tally.refunded,
                    reported=tally.reported,
                    taken_over=tally.taken_over,
                    refused=tally.refused,
                    start_balance=agent.start_balance,
                    balance=float(history.balances[-1]),
                    gas=used,
                )
                for agent, tally, history, used in zip(
                    result.setting.agents, result.tallies, result.histories, gas, strict=True
                )
            ),
            calls=summed(calls),
            accuracies=tuple((now / DAY, accuracy) for now, accuracy in result.accuracies),
            ended_on_day=result.ended_at / DAY,
            gas_price_gwei=gas_price,
            checked=checked,
            seconds=seconds,
        )


def write(record: Record, result: Result, folder: Path) -> list[Path]:
    """Writes record and plots; the files written."""
    folder.mkdir(parents=True, exist_ok=True)
    content = folder / "share.json"
    content.write_text(json.dumps(asdict(record), indent=2) + "\n")
    balances, accuracy = folder / "balances.png", folder / "accuracy.png"
    balances_figure(result).savefig(balances, dpi=_DPI)
    accuracy_figure(record).savefig(accuracy, dpi=_DPI)
    return [balances, accuracy, content]


def balances_figure(result: Result) -> Figure:
    """Each agent's balance over days."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    for i, (agent, history) in enumerate(zip(result.setting.agents, result.histories, strict=True)):
        style = _STYLES[i % len(_STYLES)]
        days = history.times / DAY
        axes.step(days, history.balances, style, where="post", label=agent.name)
    axes.set_xlabel("days")
    axes.set_ylabel("balance [coins]")
    axes.legend()
    axes.grid(alpha=0.3)
    return figure


def accuracy_figure(record: Record) -> Figure:
    """Accuracy on the test set over days."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    days, shares = zip(*record.accuracies, strict=True)
    axes.plot(days, [100 * share for share in shares], marker="o", markersize=3)
    axes.set_xlabel("days")
    axes.set_ylabel("accuracy [%]")
    axes.grid(alpha=0.3)
    return figure
