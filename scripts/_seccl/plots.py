"""The plots of a session: how the model came on, and who got how many points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from offchain.report.palette import BLUE, ORANGE
from scripts._seccl.record import Record

_RED = "#CC0000"


def accuracy_figure(record: Record) -> Figure:
    """Accuracy of the global model by round; where the attack begins and the server is caught."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    shares = [record.first_accuracy, *(one.accuracy for one in record.rounds)]
    axes.plot(
        range(len(shares)), [100 * share for share in shares], marker="o", color=BLUE, markersize=4
    )
    if record.attack != "none":
        axes.axvline(record.attack_from, color=ORANGE, linestyle=":", label="attack begins")
    if record.convicted:
        caught = int(str(record.convicted["round"])) + 0.5
        axes.axvline(caught, color=_RED, linestyle="--", label="server convicted")
    axes.set_xlabel("rounds done")
    axes.set_ylabel("accuracy on the test set [%]")
    axes.set_ylim(0, 100)
    axes.grid(alpha=0.3)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="lower right")
    return figure


def points_figure(
    totals: Sequence[Sequence[int]], winners: Sequence[Sequence[int]], names: Sequence[str]
) -> Figure:
    """Borda points by round and member; a cross marks who was elected. names: of the members."""
    figure = Figure(figsize=(8, 1.2 + 0.3 * len(names)), layout="constrained")
    axes = figure.subplots()
    points = np.array(totals).T  # (members, rounds)
    image = axes.imshow(points, aspect="auto", cmap="Blues")
    figure.colorbar(image, ax=axes, label="points")
    for number, elected in enumerate(winners):
        axes.plot([number] * len(elected), elected, "x", color=_RED, markersize=5)
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("round")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure
