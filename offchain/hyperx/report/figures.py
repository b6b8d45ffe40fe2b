"""A session's two pictures. They use no global state of matplotlib, and no display."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from offchain.data.corruptions import Corruption
from offchain.data.imageset import DataError
from offchain.hyperx.report import published
from offchain.hyperx.report.record import ProviderResult, SessionRecord
from offchain.hyperx.report.sheets import gas_lines, total_lines
from offchain.report.figures import DPI
from offchain.report.palette import BLUE, GREEN, GREY, ORANGE, PURPLE
from offchain.report.text import percent, plain, whole

_WIDTH = 9.0  # inches
_ROW = 0.42  # inches per row
_FONT = 11

# Okabe and Ito's palette: told apart with any colour vision, and in grey by their markers.
_BASELINE_STYLES = (("s", ORANGE), ("^", PURPLE), ("v", GREY))


def scores_figure(record: SessionRecord) -> Figure:
    """Score of each provider against its true corruption, one row each, by kind and level.

    A bar is the 95 % interval around the score; the winner is a green star. Baselines, where
    the record has them, are further markers in the same row.
    """
    providers = sorted(record.providers, key=_by_corruption)
    labels = [f"{plain(p.name, 24)}   {plain(p.corruption, 24)}" for p in providers]
    figure, axes = _rows(labels, extra=1.6)
    for y, one in enumerate(providers):
        if one.score is None or one.low is None or one.high is None:
            axes.text(0.01, y, "never scored", va="center", color=GREY, fontsize=_FONT)
            continue
        won = one.name == record.winner
        axes.errorbar(
            [one.score],
            [y],
            xerr=[[one.score - one.low], [one.high - one.score]],
            fmt="*" if won else "o",
            markersize=15 if won else 8,
            color=GREEN if won else BLUE,
            capsize=4,
            zorder=3,
            label="winner" if won else "score, 95 % interval",
        )
        axes.text(
            1.02,
            y,
            percent(one.score),
            transform=axes.get_yaxis_transform(),  # a column right of the axes
            va="center",
            fontsize=_FONT,
            fontweight="bold" if won else "normal",
        )
    for i, (name, scores) in enumerate(record.baselines.items()):
        marker, color = _BASELINE_STYLES[i % len(_BASELINE_STYLES)]
        found = [(scores[p.name], y) for y, p in enumerate(providers) if p.name in scores]
        axes.scatter(
            [score for score, _ in found],
            [y for _, y in found],
            marker=marker,
            s=45,
            facecolors="none",
            edgecolors=color,
            linewidths=1.5,
            zorder=4,
            label=plain(name, 24),
        )
    axes.set_xlim(0, 1)
    axes.xaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
    axes.set_xlabel("accuracy on the collector's validation set", fontsize=_FONT)
    axes.set_title("Scores against the data's true corruption", fontsize=_FONT + 2, loc="left")
    _legend(figure, axes)
    return figure


def gas_figure(record: SessionRecord) -> Figure:
    """Mean gas of each call of the paper's Table 1 and of whole lives, ours and the paper's.

    The axis is logarithmic: a distance is a ratio. Calls this session did not make have the
    paper's mark alone.
    """
    lines = [line for line in gas_lines(record) + total_lines(record) if line.paper is not None]
    figure, axes = _rows([line.name for line in lines], extra=1.6)
    axes.set_xscale("log")
    figures = [gas for line in lines for gas in (line.ours, line.paper) if gas]
    axes.set_xlim(min(figures) / 3, max(figures) * 3)
    for y, line in enumerate(lines):
        if line.ours and line.paper:
            axes.plot([line.ours, line.paper], [y, y], color="#BBBBBB", zorder=1)
        cheaper = line.ours is not None and line.ours <= (line.paper or 0)
        _gas_mark(axes, line.ours, y, "here", "o", BLUE, right=not cheaper)
        _gas_mark(axes, line.paper, y, "paper, Table 1", "s", ORANGE, right=cheaper)
    axes.xaxis.set_major_formatter(lambda gas, _: whole(round(gas)))
    axes.set_xlabel("gas (logarithmic)", fontsize=_FONT)
    title = f"Gas by call: {record.shard_count} shards here, {published.SHARDS} in the paper"
    axes.set_title(title, fontsize=_FONT + 2, loc="left")
    _legend(figure, axes)
    return figure


def _by_corruption(one: ProviderResult) -> tuple[str, float, str]:
    try:
        corruption = Corruption.parse(one.corruption)
    except DataError:  # a record may tell of corruptions that this version does not know
        return one.corruption, 0.0, one.name
    return corruption.kind, corruption.level, one.name


def _rows(labels: Sequence[str], extra: float) -> tuple[Figure, Axes]:
    """A figure with one row per label, the first on top, as high as they need."""
    height = extra + _ROW * max(1, len(labels))
    figure = Figure(figsize=(_WIDTH, height), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    # Without parse_math a stranger's dollar sign would be read as a formula.
    text: dict[str, Any] = {"parse_math": False, "fontsize": _FONT}
    axes.set_yticks(range(len(labels)), labels, **text)
    axes.set_ylim(max(1, len(labels)) - 0.4, -0.6)
    axes.tick_params(axis="x", labelsize=_FONT)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#DDDDDD", zorder=0)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _gas_mark(
    axes: Axes, gas: int | None, y: float, label: str, marker: str, color: str, *, right: bool
) -> None:
    """A mark at `gas` with its number right or left of it; nothing for None."""
    if gas is None:
        return
    axes.plot([gas], [y], marker, markersize=9, color=color, label=label, zorder=3)
    axes.annotate(
        whole(gas),
        (gas, y),
        xytext=(9 if right else -9, 0),
        textcoords="offset points",
        ha="left" if right else "right",
        va="center",
        fontsize=_FONT - 1,
    )


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    entries = sorted(
        zip(labels, handles, strict=True),
        key=lambda entry: not isinstance(entry[1], ErrorbarContainer),  # scores, then baselines
    )
    once = dict(entries)
    if not once:
        return
    legend = figure.legend(
        list(once.values()),
        list(once),
        loc="outside lower center",
        ncols=min(4, len(once)),
        frameon=False,
        fontsize=_FONT,
    )
    for entry in legend.get_texts():
        entry.set_parse_math(False)
