"""`ape run price`: several sellers quote to one model owner, which buys before it sees anything."""

from __future__ import annotations

from pathlib import Path

import click
from ape.cli import network_option, verbosity_option

from scripts._stage import options as common
from scripts._stage.command import ChainCommand

STORIES = (
    "honest",
    "swapped-data",
    "asks-twice",
    "refuses-to-pay",
    "stale-model",
    "false-score",
    "false-price",
    "wrong-key",
    "no-key",
)


@click.command(cls=ChainCommand, short_help="Price data before disclosure (MDE)")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@common.story(STORIES)
@click.option(
    "--sellers",
    default="useful,useful:40,mixed,mixed:40,ordinary,redundant,mislabelled,irrelevant",
    show_default=True,
    help="Who sells what, as useful:40,mixed: useful, ordinary, redundant, mislabelled, irrelevant "
    "or mixed, each with a count of samples or without.",
)
@click.option(
    "--samples",
    type=click.IntRange(4, 100_000),
    default=100,
    show_default=True,
    help="Of each seller that names no count.",
)
@common.dataset
@common.data_root
@common.download
@common.skip_broken
@click.option(
    "--image-size",
    type=click.IntRange(min=2, max=64),
    default=8,
    show_default=True,
    help="Resize images, in pixels.",
)
@click.option(
    "--own",
    type=click.IntRange(min=10),
    default=350,
    show_default=True,
    help="Samples that the buyer's model was trained on, of the classes it has plenty of.",
)
@click.option(
    "--lacking",
    type=click.IntRange(min=1),
    default=6,
    show_default=True,
    help="Samples that it was trained on of the classes that it lacks.",
)
@click.option(
    "--lacking-classes",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="How many of the last classes it lacks.",
)
@click.option(
    "--validation",
    type=click.IntRange(min=20),
    default=500,
    show_default=True,
    help="Samples that the buyer judges by.",
)
@click.option(
    "--test",
    type=click.IntRange(min=20),
    default=1_000,
    show_default=True,
    help="Samples that nobody sees, by which true gains are measured.",
)
@click.option(
    "--method",
    type=click.Choice(("tree", "student", "influence")),
    default="tree",
    show_default=True,
    help="How data is valued: by an extracted tree, whose quotes the contract can check, by a "
    "distilled student or by influence functions.",
)
@click.option(
    "--hidden",
    type=click.IntRange(0, 1_024),
    default=0,
    show_default=True,
    help="Width of the model's hidden layer; 0 is softmax regression.",
)
@click.option("--budget", default="1 ether", show_default=True, help="For all purchases.")
@click.option("--most", default="1 ether", show_default=True, help="Paid for one set at most.")
@click.option(
    "--floor", default="0.01 ether", show_default=True, help="Paid for data that changes nothing."
)
@click.option(
    "--stake", default="0.2 ether", show_default=True, help="What a proved fault costs a seller."
)
@common.token
@click.option(
    "--settlement",
    type=click.Choice(("open", "sealed")),
    help="Publish keys, or seal them to the buyer; default as the story needs, else open.",
)
@click.option(
    "--orders",
    type=click.IntRange(1, 1_000),
    default=20,
    show_default=True,
    help="Random purchases that the buyer's is compared with.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(min=10, max=10_000),
    default=15.0,
    show_default=True,
    help="Time for a delivery, and for disputes after it; quotes stand four times as long.",
)
@click.option("--most-stake", help="Sellers quote to no order that asks for a larger stake.")
@click.option(
    "--least-delivery",
    type=click.FloatRange(min=0),
    default=10.0,
    show_default=True,
    help="Minutes; sellers quote to no order that gives them less to deliver.",
)
@click.option(
    "--most-locked",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="Days; sellers quote to no order that locks their stake for longer.",
)
@click.option(
    "--least-price",
    help="Sellers quote nothing between 0 and this, and to no order that could not pay it; default "
    "0.001 ether, in a token its smallest unit.",
)
@click.option(
    "--most-quotes",
    type=click.IntRange(min=1),
    default=16,
    show_default=True,
    help="Artefacts that a seller's data are held against in all; each tells 5 bits at most.",
)
@common.gas_price
@common.seed("Of who has which data, of the oracle and of random purchases.")
@common.licence("CC-BY-4.0")
@common.ipfs
@common.reports("Folder under which price/ gets page, plots and record.")
def cli(story: str, reports: Path, **options: object) -> None:
    """Let several sellers quote to one model owner, which buys before it sees anything.

    The owner commits to a pricing artefact and a budget, sellers commit to encrypted data; each
    seller computes its own quote from the artefact, both sign it, and the contract records it once
    for ever. The owner buys what adds most for its price, checks every chunk and every score
    after the delivery, and the contract punishes what it proves. At the end prices are compared
    with what training on each set truly brings.
    """
    from scripts._mde.options import PriceOptions
    from scripts._mde.play import Market
    from scripts._mde.stories import STORIES as TOLD
    from scripts._stage.errors import one_line_each

    chosen = PriceOptions(**options)  # type: ignore[arg-type]
    names = [name for name, one in TOLD.items() if one.fits(chosen)] if story == "all" else [story]
    with one_line_each():
        failed = [name for name in names if Market(name, chosen, reports / "price").run()]
    if failed:
        raise click.ClickException(f"ended otherwise than they should: {', '.join(failed)}")
