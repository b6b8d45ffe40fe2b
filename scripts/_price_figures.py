"""The plots of an `ape run price`."""

from __future__ import annotations

from matplotlib.figure import Figure

from offchain.report.text import plain
from scripts._price_report import Record

_BLUE, _ORANGE, _GREEN = "#0072B2", "#D55E00", "#009E73"


def gains_figure(record: Record) -> Figure:
    """Price of each set against the fall of the test loss that training on it brings."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    scale = 10**record.decimals
    shown = [one for one in record.sellers if one.price is not None]
    places: list[tuple[float, float]] = []
    width = max((one.gain_loss for one in shown), default=1) or 1
    height = max((one.price or 0 for one in shown), default=1) / scale or 1
    for one in sorted(shown, key=lambda one: one.gain_loss):
        price = (one.price or 0) / scale
        # Labels of sets that lie close together are stacked.
        near = [
            place
            for place in places
            if abs(place[0] - one.gain_loss) < width / 4 and abs(place[1] - price) < height / 16
        ]
        places.append((one.gain_loss, price))
        color = _GREEN if one.paid else _BLUE
        axes.plot([one.gain_loss], [price], "*" if one.paid else "o", color=color, markersize=11)
        axes.annotate(
            f"{one.name.removeprefix('seller ')}: {one.kind}, {one.samples}",
            (one.gain_loss, price),
            xytext=(8, 5 + 12 * len(near)),
            textcoords="offset points",
            fontsize=9,
        )
    axes.axvline(0, color="#999999", linewidth=0.8)
    axes.set_xlabel("true gain: fall of the test loss after training on the set [nats]")
    axes.set_ylabel(f"price quoted before disclosure [{plain(record.currency)}]", parse_math=False)
    rho = "" if record.rho is None else f"; Spearman's rho {record.rho:.2f}"
    axes.set_title(f"Prices against true gains (stars were bought){rho}", loc="left")
    axes.margins(x=0.18, y=0.1)
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
