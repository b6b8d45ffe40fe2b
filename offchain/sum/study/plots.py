"""The study's plots: the paper's Figures 6 to 15 with bands, and one for each further sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from offchain.report.figures import png
from offchain.report.palette import BLUE, ORANGE
from offchain.sum.study.crowds_plots import crowd_figure, map_figures
from offchain.sum.study.entropy_plots import entropy_figure
from offchain.sum.study.results import Results
from offchain.sum.study.statistics import Values, mean_interval, median_interval
from offchain.sum.study.study import Findings
from offchain.sum.study.sweeps import Sweep

DPI = 110
GREY = "#777777"
Draw = Callable[[Axes, Sweep, Results], None]
_COSTS = "cost-kept", "cost-locked", "cost-weight"


def plots(findings: Findings) -> dict[str, bytes]:
    """All plots that there are figures for, PNG files by name."""
    return {f"{name}.png": png(figure, DPI) for name, figure in figures(findings)}


def figures(findings: Findings) -> Iterator[tuple[str, Figure]]:
    """Each figure with its name, which becomes its file's."""
    results = findings.results
    sweeps = {sweep.name: sweep for sweep in findings.sweeps}
    for number, (name, draw) in _NUMBERED.items():
        if name in sweeps:
            figure = Figure(figsize=(5.6, 3.8), layout="constrained")
            draw(figure.subplots(), sweeps[name], results)
            yield f"fig{number:02}", figure
    drawn = {name for name, _ in _NUMBERED.values()} | set(_COSTS)
    costs = [sweeps[name] for name in _COSTS if name in sweeps]
    if costs:
        yield "fig14", _side_by_side(costs, results, _accuracies)
        yield "fig15", _side_by_side(costs, results, _days)
    for sweep in findings.sweeps:
        if sweep.name not in drawn and len(sweep.points) > 1:
            figure = Figure(figsize=(10, 3.6), layout="constrained")
            left, right = figure.subplots(1, 2)
            _accuracies(left, sweep, results)
            _balances(right, sweep, results)
            yield sweep.name, figure
    if findings.crowds:
        yield "crowd", crowd_figure(findings)
    yield from map_figures(findings)
    if findings.priced:
        yield "entropy", entropy_figure(findings)


def _side_by_side(sweeps: Sequence[Sweep], results: Results, draw: Draw) -> Figure:
    figure = Figure(figsize=(4.4 * len(sweeps), 3.6), layout="constrained")
    panels = figure.subplots(1, len(sweeps), sharey=True, squeeze=False)[0]
    for axes, sweep in zip(panels, sweeps, strict=True):
        draw(axes, sweep, results)
    return figure


def _axis(axes: Axes, sweep: Sweep) -> Values:
    """Labels the x axis; where on it the points are."""
    values = np.array(sweep.values, dtype=float)
    axes.set_xlabel(f"ln({sweep.parameter})" if sweep.logarithmic else sweep.parameter)
    axes.grid(alpha=0.3)
    x = np.log(values) if sweep.logarithmic else values
    # Explicit, since what never happens is not drawn and would leave points beyond the axis.
    axes.set_xlim(x.min() - 0.05 * np.ptp(x), x.max() + 0.05 * np.ptp(x))
    return x


def _band(axes: Axes, x: Values, values: Values, color: str, label: str, style: str = "-") -> None:
    """Means of shares (seeds, points) as per cent, with 95 % intervals."""
    intervals = [mean_interval(100 * column) for column in values.T]
    axes.plot(x, [i.at for i in intervals], style, marker="o", ms=3, color=color, label=label)
    low, high = [i.low for i in intervals], [i.high for i in intervals]
    axes.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)


def _gap(axes: Axes, sweep: Sweep, results: Results) -> None:
    x = _axis(axes, sweep)
    _band(axes, x, results.values(sweep.cases(), "gap"), BLUE, "gap")
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set_ylabel("gap [%]")


def _accuracies(axes: Axes, sweep: Sweep, results: Results) -> None:
    x = _axis(axes, sweep)
    for metric, color, style in (
        ("all", GREY, "--"),
        ("before", BLUE, "-"),
        ("after", ORANGE, "-"),
    ):
        label = "all good data" if metric == "all" else metric
        _band(axes, x, results.values(sweep.cases(), metric), color, label, style)
    axes.set_ylabel("accuracy [%]")
    axes.legend(fontsize=8)


def _days(axes: Axes, sweep: Sweep, results: Results) -> None:
    """Medians with their intervals, each seed as a dot; how many runs came so far, on top."""
    x = _axis(axes, sweep)
    for metric, color, label in (
        ("broke", BLUE, "broke (below 1 %)"),
        ("half", GREY, "half is lost"),
    ):
        values = results.values(sweep.cases(), metric)
        intervals = [median_interval(column) for column in values.T]
        middle = np.array([i.at for i in intervals])
        shown = np.isfinite(middle)
        axes.plot(x, np.where(shown, middle, np.nan), "o-", ms=4, color=color, label=label)
        low = np.array([i.low if np.isfinite(i.high) else np.nan for i in intervals])
        high = np.array([i.high if np.isfinite(i.high) else np.nan for i in intervals])
        axes.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)
        if metric == "broke":
            seeds = np.where(np.isfinite(values), values, np.nan)
            axes.plot(x, seeds.T, ".", ms=2, color=color, alpha=0.5)
            for at, column in zip(x, values.T, strict=True):
                axes.text(
                    at,
                    1.01,
                    str(int(np.isfinite(column).sum())),
                    transform=axes.get_xaxis_transform(),
                    ha="center",
                    fontsize=7,
                )
    axes.set_ylim(bottom=0)
    axes.set_ylabel("time [days]")
    axes.set_title(f"on top: in how many of {results.seeds} runs it was broke", fontsize=8, pad=14)
    axes.legend(fontsize=8)


def _balances(axes: Axes, sweep: Sweep, results: Results) -> None:
    x = _axis(axes, sweep)
    for metric, color in (("good", BLUE), ("bad", ORANGE)):
        _band(axes, x, results.values(sweep.cases(), metric), color, f"{metric} agent")
    axes.set_ylabel("final balance [% of the first]")
    axes.legend(fontsize=8)


_NUMBERED: dict[int, tuple[str, Draw]] = {
    6: ("num_words", _gap),
    7: ("num_words", _accuracies),
    8: ("num_words-long", _days),
    9: ("train_size", _gap),
    10: ("train_size", _accuracies),
    11: ("train_size-long", _days),
    12: ("mean_deposit", _accuracies),
    13: ("mean_deposit-long", _days),
}
"""The paper's figures by number; 14 and 15 have a panel for each reading of the cost."""
