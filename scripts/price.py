"""`ape run price`: several sellers quote to one model owner, which buys before it sees anything."""

from __future__ import annotations

from pathlib import Path

import click
from ape.cli import network_option, verbosity_option

from scripts._mde import flags
from scripts._stage import flags as stage
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
@common.label
@common.text
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
    help="How many of the last classes it lacks; default 3, or all but one where they are fewer.",
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
@flags.valuing
@flags.terms
@click.option(
    "--orders",
    type=click.IntRange(1, 1_000),
    default=20,
    show_default=True,
    help="Random purchases that the buyer's is compared with.",
)
@flags.minutes
@flags.limits
@common.gas_price
@common.seed("Of who has which data, of the oracle and of random purchases.")
@common.licence("CC-BY-4.0")
@common.ipfs
@common.pay_to
@click.option("--buyer", help="Keystore account of the buyer, off a local chain.")
@click.option(
    "--seller", multiple=True, help="Keystore account of a seller, off a local chain; repeat."
)
@click.option("--yes", is_flag=True, help="Sign without asking, off a local chain.")
@stage.deployments
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
