"""The plots of an `ape run share`."""

from __future__ import annotations

from matplotlib.figure import Figure

from offchain.sum.result import Result
from offchain.sum.rules import DAY
from scripts._sum.record import Record

_STYLES = ("-", "--", ":", "-.")


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
