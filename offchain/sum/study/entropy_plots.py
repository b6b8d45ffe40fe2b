"""Plot of submission costs that follow the entropy of a label."""

from __future__ import annotations

from matplotlib.figure import Figure

from offchain.report.palette import BLUE, ORANGE
from offchain.sum.study.statistics import mean_interval
from offchain.sum.study.study import Findings


def entropy_figure(findings: Findings) -> Figure:
    """The malicious agent's final balance under a constant and under the entropy cost."""
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.subplots()
    results = findings.results
    labels = []
    for at, priced in enumerate(findings.priced):
        color = ORANGE if priced.informed else BLUE
        one = mean_interval(100 * results.values([priced.case], "bad")[:, 0])
        label = "entropy cost" if priced.informed else "constant cost"
        x = at // 2 + (0.12 if priced.informed else -0.12)
        error = [[one.at - one.low], [one.high - one.at]]
        axes.errorbar(
            [x], [one.at], yerr=error, fmt="o", color=color, label=label if at < 2 else None
        )
        if not priced.informed:
            labels.append(f"{priced.strategy}\n{priced.cost}")
    axes.set_xticks(range(len(labels)), labels, fontsize=8)
    axes.set_xlabel("strategy, and cost in coins")
    axes.set_ylabel("malicious agent's balance [%]")
    axes.legend(fontsize=8)
    axes.grid(axis="y", alpha=0.3)
    return figure
