"""The paper's Figures 4 and 5, from results of runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from matplotlib.figure import Figure

from offchain.report.palette import GREY, ORANGE, SERIES
from offchain.seccl.figure_sheets import PAPER_BASELINE
from offchain.seccl.run import CENTRAL, Run, RunResult

_COLOURS = (*SERIES, GREY)
_MARKERS = ("o", "s", "^", "v", "D", "P", "X")


def curves_figure(
    results: Sequence[RunResult], by: Callable[[Run], str], title: str, mark: int | None = None
) -> Figure:
    """Accuracy by round, a line for each value of `by`: the mean over seeds, a band to both ends.

    mark: round, counted from 0, of the first attack. A dashed line shows the paper's baseline.
    """
    figure = Figure(figsize=(7.0, 4.4), layout="constrained")
    axes = figure.add_subplot()
    groups: dict[str, list[tuple[float, ...]]] = {}
    for result in results:
        groups.setdefault(by(result.run), []).append(result.accuracy)
    for i, (name, curves) in enumerate(groups.items()):
        columns = list(zip(*curves, strict=True))
        rounds = range(1, len(columns) + 1)
        colour = _COLOURS[i % len(_COLOURS)]
        marker = _MARKERS[i % len(_MARKERS)]
        means = [fmean(column) for column in columns]
        axes.plot(rounds, means, color=colour, marker=marker, markersize=4, label=name)
        low, high = ([end(column) for column in columns] for end in (min, max))
        axes.fill_between(rounds, low, high, color=colour, alpha=0.15, linewidth=0)
    axes.axhline(PAPER_BASELINE, color=GREY, linestyle="--", linewidth=1)
    axes.text(1, PAPER_BASELINE, " paper, all data", va="bottom", color=GREY, fontsize=9)
    if mark is not None:
        axes.axvline(mark + 1, color=ORANGE, linestyle=":", linewidth=1)
        axes.text(mark + 1, 0.02, " attack begins", color=ORANGE, fontsize=9)
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("round")
    axes.set_ylabel("accuracy on the test set")
    axes.set_title(title, loc="left")
    axes.grid(color="#DDDDDD")
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    return figure


def figure_4(results: Sequence[RunResult], participants: int) -> Figure:
    """The paper's Figure 4a (20 participants) or 4b (30)."""
    chosen = [r for r in results if r.run.defence == CENTRAL or r.run.participants == participants]
    return curves_figure(
        chosen,
        lambda run: "all data" if run.defence == CENTRAL else f"lambda {run.winners:g}",
        f"Figure 4: {participants} participants, nobody attacks",
    )


def figure_5(results: Sequence[RunResult]) -> Figure:
    """The paper's Figure 5: accuracy by round for each share of attackers."""
    return curves_figure(
        results,
        lambda run: f"epsilon {run.attackers:g}",
        "Figure 5: 20 participants, lambda 0.2, false labels",
        min(result.run.attack_round for result in results),
    )
