"""The table of levels of an `ape run hide`, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Sequence

from offchain.hide.making import MadeFamily
from offchain.hide.preservation import Likeness
from offchain.report.sheets import Row, Sheet
from offchain.report.text import percent, whole


def made_levels_sheet(made: MadeFamily, alike: Sequence[Likeness]) -> Sheet:
    """Each level designed, found and verified, with its likeness to the original.

    alike: of the published data, then of each level.
    """
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
    likeness = [(f"{one.mse:.1e}", f"{one.ssim:.3f}") for one in alike]
    rows.append(("no masks", "-", "-", percent(made.clean), whole(len(made.family.masked))))
    likeness.append(("", ""))
    return Sheet(
        "Levels",
        ("level", "designed", "found", "verified", "free images", "MSE", "SSIM"),
        1,
        tuple(Row((*row, *like)) for row, like in zip(rows, likeness, strict=True)),
        note="Verified is by another network, or at least another seed, than the search. MSE and "
        "SSIM are to the original.",
    )
