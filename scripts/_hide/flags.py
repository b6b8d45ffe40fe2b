"""Options that several of Hide-and-Seek's commands have; nothing here is slow to load."""

from __future__ import annotations

import click

from scripts._hide.names import NETWORKS
from scripts._stage import flags
from scripts._stage import options as common
from scripts._stage.options import Decorator

masking = flags.grouped(
    click.option(
        "--levels",
        default="0.3,0.5",
        show_default=True,
        help="Accuracies on clean test data to sell, each above 0 and below 1, by commas.",
    ),
    click.option(
        "--epsilon",
        type=int,
        default=8,
        show_default=True,
        help="How far a mask may move a pixel, in 1/255 of full scale, 1 to 64.",
    ),
    click.option(
        "--masks",
        "kind",
        type=click.Choice(["class", "sample"]),
        default="class",
        show_default=True,
        help="One mask for each class and level, with small cleaners; or one for each image, which "
        "no averaging finds, with cleaners as large as the images they free.",
    ),
    click.option(
        "--patch",
        type=click.IntRange(1, 64),
        default=1,
        show_default=True,
        help="Side of the squares, in pixels, that a mask is made of; larger ones survive JPEG.",
    ),
    click.option("--grey", is_flag=True, help="The same mask in all colours; survives grey-scale."),
    click.option(
        "--apart/--alike",
        default=True,
        show_default=True,
        help="Masks by class of one level tell nothing of those of another; alike, they hide a "
        "little better, and who bought one level can strip most of the others.",
    ),
    click.option(
        "--free",
        "order",
        type=click.Choice(["images", "classes"]),
        default="images",
        show_default=True,
        help="What a better level frees more of. On easy data, such as digits, images jump over "
        "levels that classes reach.",
    ),
    click.option(
        "--tolerance",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=0.03,
        show_default=True,
        help="How far from a level its accuracy may be found.",
    ),
    click.option(
        "--also",
        multiple=True,
        type=click.Choice(NETWORKS),
        help="A further network that masks are made on, so that they hide from both; repeat.",
    ),
    click.option(
        "--check",
        type=click.Choice(NETWORKS),
        default="small-resnet",
        show_default=True,
        help="By which levels are verified, under another seed.",
    ),
    click.option(
        "--epochs",
        type=click.IntRange(1, 1_000),
        default=12,
        show_default=True,
        help="Passes over the data of each training.",
    ),
    click.option(
        "--batch",
        type=click.IntRange(2, 65_536),
        default=128,
        show_default=True,
        help="Images a step; fewer for small datasets.",
    ),
    click.option(
        "--holdout",
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        default=0.2,
        show_default=True,
        help="Share of a directory or of the digits that measured models do not train on and are "
        "tested on; torchvision's datasets have a test split.",
    ),
    click.option("--counter", is_flag=True, help="Also measure what free counter-measures regain."),
    common.data_root,
    common.download,
    common.skip_broken,
    click.option("--image-size", type=click.IntRange(8, 4096), help="Resize images, in pixels."),
    click.option("--images", type=click.IntRange(min=1), help="Use only so many images."),
    common.seed("The trainings; masks draw from a secret of their own."),
    common.device,
    common.workers,
    flags.class_name,
)
"""How pictures are masked, and levels found."""


def mask_network(name: str) -> Decorator:
    """The option `name`, since Ape's own `--network` is another one."""
    return click.option(
        name,
        "network" if name == "--network" else "mask_network",
        type=click.Choice(NETWORKS),
        default="plain",
        show_default=True,
        help="On which masks are made and levels searched.",
    )


stake = click.option(
    "--stake",
    default="0.2 ether",
    show_default=True,
    help="What each proved fault costs the seller.",
)

hours = click.option(
    "--hours",
    type=click.FloatRange(0.1, 10_000),
    default=24.0,
    show_default=True,
    help="How long the seller sells, in hours of the chain's time.",
)

window = click.option(
    "--window-minutes",
    type=click.FloatRange(10, 10_000),
    default=60.0,
    show_default=True,
    help="Time for a delivery, and for disputes after it.",
)
