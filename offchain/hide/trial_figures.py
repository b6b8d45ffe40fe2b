"""The paper's Figures 4 and 5 from trials, the mean over seeds with both ends."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from offchain.hide.trial_results import TrialResult
from offchain.report.palette import BLUE, GREY, ORANGE

_MARKERS = ("o", "s", "^", "v", "D", "P", "X")


def figure_4(results: Sequence[TrialResult], title: str) -> Figure:
    """Accuracy against the share of masked images, which is our scale of masks; a line a seed.

    The horizontal axis is logarithmic in the images that wear no mask, as accuracy is.
    """
    figure = Figure(figsize=(6.0, 3.8), layout="constrained")
    axes = figure.add_subplot()
    for i, result in enumerate(results):
        places = range(len(result.points))
        marker = _MARKERS[i % len(_MARKERS)]
        shares = [max(1 - share, _LEAST) for share, _ in result.points]
        accuracies = [result.points[j][1] for j in places]
        axes.plot(shares, accuracies, marker=marker, color=BLUE, label=f"seed {result.seed}")
    for wanted in sorted({one.wanted for result in results for one in result.levels}):
        axes.axhline(wanted, color=GREY, linewidth=0.5)
    axes.set_xscale("log")
    axes.invert_xaxis()
    axes.xaxis.set_major_formatter(lambda clean, _: f"{100 * (1 - clean):.4g} %")
    axes.set_xlabel("images that are masked; all of them at 99.99 %")
    axes.set_title(f"Figure 4: {title}", loc="left", fontsize=10)
    _accuracy_axis(axes)
    axes.legend(frameon=False, fontsize=8)
    return figure


_LEAST = 1e-4
"""Where all masked is drawn on the logarithmic axis."""


def figure_5(results: Sequence[TrialResult], title: str) -> Figure:
    """Left, the paper's upper row: unlearnable and cleaned. Right, its lower: designed, achieved.

    Levels that no seed reaches have no bar and no orange mark.
    """
    figure = Figure(figsize=(9.0, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    wanted = sorted({one.wanted for result in results for one in result.levels})
    places = range(1, len(wanted) + 1)
    masked = fmean(result.masked for result in results)
    left.bar([x - 0.2 for x in places], [masked] * len(wanted), 0.4, color=BLUE, label="published")
    right.plot(places, wanted, "o-", color=BLUE, label="designed")
    label: str | None = "achieved, fresh model and seed"
    for place, level in zip(places, wanted, strict=True):
        found = [
            one.achieved
            for result in results
            for one in result.levels
            if one.wanted == level and one.achieved is not None
        ]
        if not found:
            for axes in (left, right):
                axes.text(place, 0.02, "out of reach", rotation=90, fontsize=8, color=GREY)
            continue
        mean = fmean(found)
        ends = [[mean - min(found)], [max(found) - mean]]
        left.bar(
            [place + 0.2], [mean], 0.4, yerr=ends, color=ORANGE, label=label and "with cleaner"
        )
        right.errorbar([place], [mean], yerr=ends, fmt="s", capsize=3, color=ORANGE, label=label)
        label = None
    for axes in (left, right):
        axes.set_xlabel("level")
        axes.set_xticks(list(places))
        axes.axhline(
            fmean(result.clean for result in results), color=GREY, linestyle="--", linewidth=1
        )
        _accuracy_axis(axes)
        axes.legend(frameon=False, fontsize=8, loc="upper left")
    left.set_title(f"Figure 5: {title}", loc="left", fontsize=10)
    right.set_title("dashed: no masks", loc="left", fontsize=9)
    return figure


def _accuracy_axis(axes: Axes) -> None:
    axes.set_ylim(0, 1)
    axes.set_ylabel("accuracy on clean test data")
    axes.grid(color="#DDDDDD")
    axes.set_axisbelow(True)
