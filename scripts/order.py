"""`ape run order`: a buyer asks for data that its own model lacks, and buys it (MDE)."""

from __future__ import annotations

import click
from ape.cli import network_option, verbosity_option

from scripts._mde import flags as mde
from scripts._stage import flags
from scripts._stage import options as common
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Order data for your model, priced before it is shown")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@flags.samples
@click.option(
    "--judged-by",
    metavar="DATASET",
    help="Name or directory of what the model is to be good at; default a share of --dataset.",
)
@click.option(
    "--validation",
    type=click.FloatRange(1, 90),
    default=30.0,
    show_default=True,
    help="Share of --dataset that the model is judged by without --judged-by, in per cent.",
)
@common.licence()
@flags.retention
@flags.class_name
@click.option("--content", default="", help="What a sample may contain, in words.")
@click.option("--contact", multiple=True, help="Mail or page of yours; repeat.")
@click.option(
    "--least-per-class",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Samples of each class that a seller has at all.",
)
@click.option(
    "--least-samples",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Samples in all.",
)
@mde.valuing
@click.option(
    "--samples",
    type=click.IntRange(4, 100_000),
    default=100,
    show_default=True,
    help="The most is paid for a set as good as so many of your best validation samples.",
)
@mde.terms
@mde.minutes
@click.option(
    "--wait",
    type=click.FloatRange(min=0.1, max=720),
    default=24.0,
    show_default=True,
    help="Hours in which sellers may come before you buy; quotes must stand as long.",
)
@click.option(
    "--most-size",
    type=click.IntRange(min=1),
    default=1_024,
    show_default=True,
    help="Megabytes of the largest dataset that is fetched.",
)
@click.option(
    "--without",
    multiple=True,
    metavar="DATASET",
    help="Id of a dataset that is neither countersigned nor bought; repeat.",
)
@common.seed("Of what the model learns, and of the oracle.")
@click.option("--dry-run", is_flag=True, help="Show what it may cost and bring; sign nothing.")
@common.gas_price
@common.pay_to
@flags.party
def cli(**options: object) -> None:
    """Post an order under a pricing artefact of your own model, and play the buyer to its end.

    The model is trained on the pictures under --dataset. Sellers that committed to their data get
    the artefact, price their data by themselves, and propose; what can be checked is countersigned,
    what adds most for its price is bought, and each chunk and score of it checked: a fault is
    proved on chain. Without --yes you are asked before each step that binds you or moves money; no
    ends the command. The same command goes on with the same order after a crash.
    """
    from scripts._mde.ordering import run_order
    from scripts._mde.party_options import OrderOptions
    from scripts._stage.errors import one_line_each

    with one_line_each():
        run_order(OrderOptions(**options))  # type: ignore[arg-type]
