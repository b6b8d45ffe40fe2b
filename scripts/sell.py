"""`ape run sell`: a seller sells learnability of a masked dataset, level by level."""

from __future__ import annotations

from pathlib import Path

import click
from ape.cli import network_option, verbosity_option

from scripts._hide import flags
from scripts._hide.names import NETWORKS
from scripts._stage import flags as stage
from scripts._stage import options as common
from scripts._stage.command import ChainCommand

STORY_NAMES = (
    *("honest", "never-delivers", "wrong-key", "spoilt-chunk", "false-dispute"),
    *("pays-after-closing", "collusion"),
)
"""Those of scripts/_hide/stories.py, which takes seconds to load; `--help` must not."""


@click.command(cls=ChainCommand, short_help="Sell learnability (Hide-and-Seek)")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@common.story(STORY_NAMES)
@click.option(
    "--settlement",
    type=click.Choice(["open", "sealed"]),
    help="Publish the keys, or seal each to its buyer; default sealed.",
)
@common.dataset
@common.data_root
@common.download
@common.skip_broken
@click.option("--image-size", type=click.IntRange(8, 4096), help="Resize images, in pixels.")
@click.option(
    "--images",
    type=click.IntRange(min=10),
    default=1_200,
    show_default=True,
    help="Sell only so many images.",
)
@click.option(
    "--test",
    type=click.IntRange(min=10),
    default=500,
    show_default=True,
    help="Clean images that nobody publishes, by which accuracy is measured.",
)
@click.option(
    "--levels",
    default="0.3,0.5,0.75",
    show_default=True,
    help="Accuracies to sell, each above 0 and below 1, by commas.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.05,
    show_default=True,
    help="How far from a level its accuracy may be found.",
)
@click.option(
    "--epsilon",
    type=int,
    default=8,
    show_default=True,
    help="How far a mask may move a pixel, in 1/255 of full scale, 1 to 64.",
)
@click.option(
    "--patch",
    type=click.IntRange(1, 64),
    default=7,
    show_default=True,
    help="Side of the squares, in pixels, that a mask is made of; larger ones survive JPEG.",
)
@click.option("--grey", is_flag=True, help="The same mask in all colours; survives grey-scale.")
@click.option(
    "--free",
    "order",
    type=click.Choice(["images", "classes"]),
    default="classes",
    show_default=True,
    help="What a better level frees more of; on easy data images jump over levels.",
)
@click.option(
    "--mask-network",
    type=click.Choice(NETWORKS),
    default="plain",
    show_default=True,
    help="On which masks are made and levels searched.",
)
@click.option(
    "--check",
    type=click.Choice(NETWORKS),
    default="plain",
    show_default=True,
    help="By which levels are verified, and which buyers train.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1, 1_000),
    default=8,
    show_default=True,
    help="Passes over the data of each training.",
)
@click.option(
    "--batch", type=click.IntRange(2, 65_536), default=32, show_default=True, help="Images a step."
)
@click.option(
    "--prices",
    default="0.1 ether,0.3 ether,0.8 ether",
    show_default=True,
    help="Of the levels, by commas, rising.",
)
@flags.stake
@common.token
@common.licence("CC-BY-4.0")
@common.pay_to
@click.option("--seller", help="Keystore account of the seller, off a local chain.")
@click.option(
    "--buyer", multiple=True, help="Keystore account of a buyer, off a local chain; repeat."
)
@click.option("--yes", is_flag=True, help="Sign without asking, off a local chain.")
@stage.deployments
@click.option(
    "--buyers",
    help="Who buys which level, by commas: 1+3,2,3 has the first buy level 1 and then level 3. The "
    "last is the one whom the story is about. Default: one for each level, one that upgrades.",
)
@flags.hours
@flags.window
@common.gas_price
@common.seed("Of data, training and, since all parties are played here, masks.")
@common.device
@common.workers
@common.ipfs
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False, writable=True),
    default=Path(".souk/sell"),
    show_default=True,
    help="Folder of accuracies measured: the same command, or another story, goes on from there.",
)
@common.reports("Folder under which sell/<story>/ gets record, plots and page.")
def cli(story: str, reports: Path, **options: object) -> None:
    """Mask a dataset, list cleaners for several levels of learnability, and sell them.

    The masked data and the encrypted cleaners go into the datastore, their commitments and prices
    on chain. Buyers check both before they pay, open what is delivered, prove what is wrong with
    it, and train with what they bought: what they reach stands beside what they paid for, and
    beside what anybody regains for nothing.
    """
    from scripts._hide.options import SellOptions
    from scripts._hide.play import SalePlay
    from scripts._hide.stories import STORIES
    from scripts._stage.errors import one_line_each

    chosen = SellOptions(reports=reports / "sell", **options)  # type: ignore[arg-type]
    fitting = [name for name, one in STORIES.items() if one.fits(chosen.settlement)]
    names = fitting if story == "all" else [story]
    with one_line_each():
        failed = [name for name in names if SalePlay(name, chosen).run()]
    if failed:
        raise click.ClickException(f"ended otherwise than they should: {', '.join(failed)}")
