"""`ape run figures`: the papers' figures, reproduced."""

from __future__ import annotations

from pathlib import Path

import click

from scripts import _common_options as common

PARTS = ("paper", "attacks")


@click.group(short_help="Reproduce the papers' figures")
def cli() -> None:
    """Reproduce the papers' figures, beside what the papers say.

    Needs no chain. Every finished run is kept under --reports at once; what was stopped goes on
    where it was.
    """


@cli.command(short_help="Figures 4 and 5 of SecCL, and attacks against defences")
@click.option(
    "--dataset",
    default="mnist",
    show_default=True,
    help="mnist as in the paper, another set of torchvision's, or digits: 5,000 of MNIST that need "
    "no files.",
)
@common.data_root
@common.download
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(PARTS),
    help="paper: its Figures 4 and 5. attacks: the table of attacks and defences. Default both.",
)
@click.option(
    "--seeds", type=click.IntRange(1, 100), default=3, show_default=True, help="Runs of each point."
)
@click.option(
    "--rounds",
    type=click.IntRange(5, 1_000),
    default=10,
    show_default=True,
    help="Rounds of each run; attacks begin in the fifth.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1, 100),
    default=5,
    show_default=True,
    help="Passes of a participant over its own images a round. The paper does not say; one is "
    "too few for its accuracy after 10 rounds.",
)
@click.option(
    "--compared-images",
    type=click.IntRange(min=200),
    default=12_000,
    show_default=True,
    help="Images that the attacks are compared on, at most, of those that the figures use.",
)
@click.option(
    "--compared-seeds",
    type=click.IntRange(1, 100),
    help="Runs of each attack against each defence; default as --seeds.",
)
@common.device
@click.option(
    "--reports",
    type=click.Path(path_type=Path, file_okay=False, writable=True),
    default=Path("reports/figures-seccl"),
    show_default=True,
    help="Folder for the tables, the plots and the finished runs.",
)
def seccl(
    dataset: str,
    data_root: Path | None,
    download: bool,
    only: tuple[str, ...],
    seeds: int,
    rounds: int,
    epochs: int,
    compared_images: int,
    compared_seeds: int | None,
    device: str | None,
    reports: Path,
) -> None:
    """Reproduce Figures 4 and 5 of the SecCL paper and compare attacks and defences.

    Figure 4: 20 and 30 participants elect 10 to 40 % of them, beside training on all data in one
    place. Figure 5: of 20 participants up to 40 % collude from the fifth round on, with false
    labels and false ballots. Then every attack that `ape run federate` knows, by 20 and 40 % of the
    participants, against the mean, the median, the trimmed mean, Krum and the Borda election.

    With all of MNIST and three seeds the figures take about an hour on two free cores.
    """
    from scripts._errors import one_line_each
    from scripts._figures_seccl import Options, reproduce

    with one_line_each():
        options = Options(
            *(dataset, data_root, download, only or PARTS, seeds, rounds, epochs),
            *(compared_images, compared_seeds or seeds, device),
        )
        reproduce(options, reports)
