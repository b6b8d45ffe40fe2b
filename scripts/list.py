"""`ape run list`: a seller offers cleaners of masked pictures, level by level (Hide-and-Seek)."""

from __future__ import annotations

from pathlib import Path

import click
from ape.cli import network_option, verbosity_option

from scripts._hide import flags as own
from scripts._stage import flags
from scripts._stage import options as common
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="List masked pictures and sell their levels")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.option("--dataset", help="Name or directory of pictures to mask; or give --masked.")
@click.option(
    "--masked",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder that ape run hide wrote; options of masking are passed over.",
)
@common.licence()
@flags.retention
@click.option("--content", default="", help="What a sample may contain, in words.")
@click.option("--contact", multiple=True, help="Mail or page of yours; repeat.")
@click.option(
    "--prices",
    required=True,
    help="Of the levels asked for, by commas, rising, as 0.1 ether,0.3 ether.",
)
@own.stake
@click.option(
    "--sales",
    type=click.IntRange(1, 10_000),
    default=4,
    show_default=True,
    help="How many sales at once your funds answer for; each holds a stake.",
)
@common.token
@click.option(
    "--settlement",
    type=click.Choice(["open", "sealed"]),
    default="sealed",
    show_default=True,
    help="Publish the keys, or seal each to its buyer.",
)
@own.hours
@own.window
@own.masking
@own.mask_network("--mask-network")
@common.pay_to
@click.option("--dry-run", is_flag=True, help="Show what it may cost and bring; sign nothing.")
@common.gas_price
@flags.party
def cli(**options: object) -> None:
    """List pictures that are masked and play the seller until the listing is closed and its funds
    are back: deliver a key to whoever pays, settle, close after --hours.

    Pictures under --dataset are masked first, as ape run hide does it, and kept. Terms, the cost in
    gas and the worst that can happen are shown before anything is signed. The same command goes on
    after a crash. Buyers fetch from your node, and a key that does not come in time is a sale lost:
    leave this running, or give --ipfs a node that stays.
    """
    from scripts._hide.listing import run_list
    from scripts._hide.party_options import ListOptions
    from scripts._stage.errors import one_line_each

    with one_line_each():
        run_list(ListOptions.parse(**options))  # type: ignore[arg-type]
