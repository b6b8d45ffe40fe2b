"""`ape run buy`: a level of masked pictures that somebody listed (Hide-and-Seek)."""

from __future__ import annotations

import click
from ape.cli import network_option, verbosity_option

from scripts._hide.names import NETWORKS
from scripts._stage import flags
from scripts._stage import options as common
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Buy a level of masked pictures")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.argument("listing")
@click.option("--level", type=click.IntRange(1, 32), required=True, help="Which; 1 is the weakest.")
@click.option(
    "--test",
    help="Name or directory of clean pictures of yours, on which is tried what the level teaches.",
)
@common.data_root
@common.download
@common.skip_broken
@flags.class_name
@click.option(
    "--model",
    type=click.Choice(NETWORKS),
    default="plain",
    show_default=True,
    help="What is trained for --test.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1, 1_000),
    default=12,
    show_default=True,
    help="Passes over the data of that training.",
)
@common.seed("Of that training.")
@common.device
@click.option(
    "--licence",
    multiple=True,
    help="Under which you take data; a listing under another is refused. Repeat; default any.",
)
@click.option("--most-price", help="Amount; a dearer level is refused.")
@click.option(
    "--accept-token",
    multiple=True,
    metavar="ADDRESS",
    help="Pay in this token, too, beside the native coin. Repeat.",
)
@click.option(
    "--most-wait",
    type=click.FloatRange(min=0, min_open=True),
    default=168.0,
    show_default=True,
    help="Hours; a listing that may keep your money for longer without a key is refused.",
)
@common.pay_to
@click.option("--dry-run", is_flag=True, help="Show what it may cost and bring; sign nothing.")
@common.gas_price
@flags.party
def cli(listing: str, **options: object) -> None:
    """Buy a level of LISTING, its id as browse tells it, and play the buyer to the end: check the
    cleaner that comes, prove what is wrong with it, take the money back where no key came.

    Task, terms, the cost in gas and the worst that can happen are shown, and masked pictures and
    encrypted cleaner fetched and checked, before anything is signed. Who owns a worse level pays
    the difference. The same command goes on after a crash; ape run export writes the pictures.
    """
    from scripts._hide.buying import run_buy
    from scripts._hide.party_options import BuyOptions
    from scripts._stage.errors import one_line_each

    with one_line_each():
        run_buy(listing, BuyOptions(**options))  # type: ignore[arg-type]
