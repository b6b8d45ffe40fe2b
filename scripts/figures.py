"""`ape run figures`: the papers' figures, reproduced."""

from __future__ import annotations

from pathlib import Path

import click

from scripts._hide.names import NETWORKS
from scripts._stage import options as common

PARTS = ("paper", "attacks")
HIDE_PARTS = ("paper", "robustness")


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
@common.skip_broken
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
@common.workers
@common.ray
@common.reports("Folder for the tables, the plots and the finished runs.", "reports/figures-seccl")
def seccl(
    dataset: str,
    data_root: Path | None,
    download: bool,
    skip_broken: bool,
    only: tuple[str, ...],
    seeds: int,
    rounds: int,
    epochs: int,
    compared_images: int,
    compared_seeds: int | None,
    device: str | None,
    workers: int | None,
    ray: str | None,
    reports: Path,
) -> None:
    """Reproduce Figures 4 and 5 of the SecCL paper and compare attacks and defences.

    Figure 4: 20 and 30 participants elect 10 to 40 % of them, beside training on all data in one
    place. Figure 5: of 20 participants up to 40 % collude from the fifth round on, with false
    labels and false ballots. Then every attack that `ape run federate` knows, by 20 and 40 % of the
    participants, against the mean, the median, the trimmed mean, Krum and the Borda election.

    With all of MNIST and three seeds the figures take about an hour on two free cores.
    """
    from scripts._seccl.figures import SecclFiguresOptions, reproduce
    from scripts._stage.errors import one_line_each

    with one_line_each():
        options = SecclFiguresOptions(
            *(dataset, data_root, download, skip_broken, only or PARTS, seeds, rounds, epochs),
            *(compared_images, compared_seeds or seeds, device, workers, ray),
        )
        reproduce(options, reports)


@cli.command(short_help="Figures 4 to 8 of Hide-and-Seek, and what resists free counter-measures")
@click.option(
    "--dataset",
    default="cifar10",
    show_default=True,
    help="cifar10, svhn or cifar100 as in the paper, another set of torchvision's, digits for a "
    "quick look, or a directory that holds train/ and test/ with a folder of pictures per class.",
)
@common.data_root
@common.download
@common.skip_broken
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(HIDE_PARTS),
    help="paper: its Figures 4 to 8. robustness: counter-measures, inference, settings of masks. "
    "Default both.",
)
@click.option("--seeds", type=click.IntRange(1, 100), default=2, show_default=True, help="Trials.")
@click.option(
    "--setting-seeds",
    type=click.IntRange(1, 100),
    help="Trials in which settings of masks are compared; default as --seeds.",
)
@click.option("--reduced/--full", default=None, help="Default full on a GPU, reduced on a CPU.")
@click.option(
    "--levels", help="Accuracies, by commas; default 0.2 to 0.9, or 0.2 to 0.4 when reduced."
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.025,
    show_default=True,
    help="How far from a level the search may stop.",
)
@click.option(
    "--free",
    "order",
    type=click.Choice(["images", "classes"]),
    default="images",
    show_default=True,
    help="What a better level frees more of; for digits name classes.",
)
@click.option("--images", type=click.IntRange(min=100), help="Of the training set; reduced 2,000.")
@click.option("--test-images", type=click.IntRange(min=100), help="Of the test set; reduced 2,000.")
@click.option(
    "--epochs", type=click.IntRange(1, 1_000), help="Of each training; default 30, reduced 8."
)
@click.option(
    "--network",
    type=click.Choice(NETWORKS),
    help="On which masks are made and levels searched; default resnet18, reduced small-resnet.",
)
@click.option(
    "--check",
    type=click.Choice(NETWORKS),
    help="By which levels are verified, under another seed; default as --network.",
)
@click.option(
    "--mask-steps",
    type=click.IntRange(1, 100_000),
    default=300,
    show_default=True,
    help="Batches that masks are made in.",
)
@click.option(
    "--countered",
    type=click.IntRange(0, 32),
    help="Levels, evenly spaced, on which buyers try counter-measures too; default all, reduced 1.",
)
@common.device
@common.workers
@common.reports("Folder for the tables, the plots and the finished runs.", "reports/figures-hide")
def hide(
    dataset: str,
    data_root: Path | None,
    download: bool,
    skip_broken: bool,
    only: tuple[str, ...],
    seeds: int,
    setting_seeds: int | None,
    reduced: bool | None,
    levels: str | None,
    tolerance: float,
    order: str,
    images: int | None,
    test_images: int | None,
    epochs: int | None,
    network: str | None,
    check: str | None,
    mask_steps: int,
    countered: int | None,
    device: str | None,
    workers: int | None,
    reports: Path,
) -> None:
    """Reproduce Figures 4 to 8 of the Hide-and-Seek paper, and test what the paper does not.

    Figure 4: accuracy as masks grow. Figure 5: levels designed, and what a fresh model achieves on
    published data and cleaner. Figures 6 to 8: pictures at every level, MSE and SSIM. Then what
    counter-measures regain without paying, what a buyer infers of levels that it did not pay for,
    and which settings of masks resist best.

    Pictures may also lie as DATA_ROOT/DATASET/train and DATA_ROOT/DATASET/test, a folder a class.
    """
    from scripts._hide.figures import reproduce
    from scripts._hide.figures_options import HideFiguresOptions
    from scripts._stage.errors import one_line_each

    with one_line_each():
        options = HideFiguresOptions.of(
            dataset=dataset,
            data_root=data_root,
            download=download,
            skip_broken=skip_broken,
            only=only or HIDE_PARTS,
            seeds=seeds,
            setting_seeds=min(setting_seeds or seeds, seeds),
            reduced=reduced,
            levels=levels,
            tolerance=tolerance,
            order=order,
            images=images,
            test_images=test_images,
            epochs=epochs,
            network=network,
            check=check,
            mask_steps=mask_steps,
            countered=countered,
            device=device,
            workers=workers,
        )
        reproduce(options, reports)
