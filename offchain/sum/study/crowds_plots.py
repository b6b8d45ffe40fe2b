"""Plots of crowds and their maps."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle

import numpy as np
from matplotlib.figure import Figure

from offchain.report.palette import SERIES
from offchain.sum.study import crowds
from offchain.sum.study.crowds import Map
from offchain.sum.study.crowds_report import cells
from offchain.sum.study.results import Results
from offchain.sum.study.statistics import mean_interval
from offchain.sum.study.study import Findings
from offchain.sum.study.verdicts import POINT

_MARKERS = "os^vDP"
_LEAST = -15.0  # points, the end of a map's colours


def crowd_figure(findings: Findings) -> Figure:
    """Points of accuracy lost by number of malicious agents, a line for each strategy."""
    figure = Figure(figsize=(6.4, 4), layout="constrained")
    axes = figure.subplots()
    results = findings.results
    for (strategy, group), color, marker in zip(
        findings.crowds.items(), cycle(SERIES), cycle(_MARKERS), strict=False
    ):
        x = [100 * crowd.malicious / crowds.CROWD for crowd in group]
        lost = [
            mean_interval(100 * results.difference(c.case, c.clean, results.seeds)) for c in group
        ]
        axes.plot(x, [i.at for i in lost], marker=marker, ms=4, color=color, label=strategy)
        low, high = [i.low for i in lost], [i.high for i in lost]
        axes.fill_between(x, low, high, color=color, alpha=0.15, linewidth=0)
    axes.axhline(-100 * POINT, color="#777777", linewidth=0.8, linestyle="--")
    axes.set_xlabel("malicious agents [%]")
    axes.set_ylabel("accuracy less clean accuracy [points]")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    return figure


def map_figures(findings: Findings) -> Iterator[tuple[str, Figure]]:
    """For each second parameter the maps of all strategies side by side."""
    for name in dict.fromkeys(one.name for one in findings.maps):
        maps = [one for one in findings.maps if one.name == name]
        yield name, _maps_figure(maps, findings.results)


def _maps_figure(maps: list[Map], results: Results) -> Figure:
    figure = Figure(figsize=(5 * len(maps), 3.8), layout="constrained")
    panels = figure.subplots(1, len(maps), sharey=True, squeeze=False)[0]
    for axes, one in zip(panels, maps, strict=True):
        lost = 100 * cells(one, results)
        image = axes.imshow(
            lost, origin="lower", aspect="auto", cmap="RdYlBu", vmin=_LEAST, vmax=-_LEAST
        )
        low, high = lost.min(), lost.max()
        if low < -100 * POINT < high:
            axes.contour(lost, levels=[-100 * POINT], colors="black", linewidths=1.5)
        for (row, column), points in np.ndenumerate(lost):
            axes.text(column, row, f"{points:.1f}", ha="center", va="center", fontsize=6.5)
        axes.set_xticks(
            range(len(one.columns)), [f"{100 * n // crowds.CROWD}" for n in one.columns]
        )
        axes.set_yticks(range(len(one.rows)), [f"{value:g}" for value in one.rows])
        axes.set_xlabel("malicious agents [%]")
        axes.set_title(one.strategy, fontsize=10)
    unit = "submission cost [coins]" if maps[0].parameter == "cost" else "train_size [%]"
    panels[0].set_ylabel(unit)
    label = "accuracy less clean accuracy [points]"
    figure.colorbar(image, ax=list(panels), label=label, extend="both")
    return figure
