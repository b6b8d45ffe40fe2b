"""The tables that `ape run hide` prints."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from offchain.hide.countermeasures import Regained, best
from offchain.hide.making import Made
from offchain.hide.preservation import Likeness
from offchain.report.text import percent, whole


def levels_table(made: Made, alike: Sequence[Likeness]) -> Table:
    """Each level designed, found and verified, with its likeness to the original.

    alike: of the published data, then of each level.
    """
    table = Table(title="Levels", title_justify="left")
    for name in ("level", "designed", "found", "verified", "free images", "MSE", "SSIM"):
        table.add_column(name, justify="left" if name == "level" else "right")
    rows = [("published", "-", "-", percent(made.masked), "0")]
    rows += [
        (
            str(number),
            percent(one.wanted),
            percent(one.reached),
            percent(one.verified),
            whole(one.free),
        )
        for number, one in enumerate(made.family.levels, 1)
    ]
    for row, like in zip(rows, alike, strict=True):
        table.add_row(*row, f"{like.mse:.1e}", f"{like.ssim:.3f}")
    table.add_row("no masks", "-", "-", percent(made.clean), whole(len(made.family.masked)))
    return table


def counter_table(rows: Sequence[Regained]) -> Table:
    """What each free counter-measure regains on the published data, the best one marked."""
    table = Table(title="Regained without paying", title_justify="left")
    table.add_column("counter-measure")
    table.add_column("accuracy", justify="right")
    strongest = best(rows)
    for one in rows:
        table.add_row(one.name, percent(one.accuracy), style="bold" if one is strongest else None)
    return table
