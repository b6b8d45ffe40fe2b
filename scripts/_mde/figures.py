"""The plots of an `ape run price`."""

from __future__ import annotations

from matplotlib.figure import Figure

from offchain.report.text import plain
from scripts._mde.record import Record

_BLUE, _ORANGE, _GREEN = "#0072B2", "#D55E00", "#009E73"


def gains_figure(record: Record) -> Figure:
    """Price of each set against the fall of the test loss that training on it brings."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    scale = 10**record.decimals
    shown = [one for one in record.sellers if one.price is not None]
    for one in shown:
        price, number = (one.price or 0) / scale, one.name.removeprefix("seller ")
        axes.plot(
            [one.gain_loss],
            [price],
            "*" if one.paid else "o",
            color=_GREEN if one.paid else _BLUE,
            markersize=14 if one.paid else 8,
            label=f"{number}: {one.kind}, {one.samples}",
        )
        above = int(number) % 2
        axes.annotate(
            number,
            (one.gain_loss, price),
            xytext=(0, 9 if above else -18),
            textcoords="offset points",
            ha="center",
        )
    axes.axvline(0, color="#999999", linewidth=0.8)
    axes.set_xlabel("true gain: fall of the test loss after training on the set [nats]")
    axes.set_ylabel(f"price quoted before disclosure [{plain(record.currency)}]", parse_math=False)
    rho = "" if record.rho is None else f"; Spearman's rho {record.rho:.2f}"
    axes.set_title(f"Prices against true gains (stars were bought){rho}", loc="left")
    axes.margins(x=0.08, y=0.1)
    axes.legend(loc="upper left", title="seller: has, samples", handlelength=1)
    axes.grid(alpha=0.3)
    return figure


def ways_figure(record: Record) -> Figure:
    """Gains of three ways to spend the budget."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    names = [one.name for one in record.ways]
    rows = range(len(names))
    left.barh(rows, [one.gain_loss for one in record.ways], color=_BLUE)
    right.barh(rows, [100 * one.gain_accuracy for one in record.ways], color=_ORANGE)
    left.set_yticks(rows, names)
    left.invert_yaxis()
    left.set_xlabel("fall of the test loss [nats]")
    right.set_xlabel("rise of the accuracy [points]")
    for axes in (left, right):
        axes.grid(axis="x", alpha=0.3)
    return figure
