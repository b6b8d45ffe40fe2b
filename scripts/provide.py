"""`ape run provide`: a provider offers its own pictures in somebody's HyperX session."""

from __future__ import annotations

import click
from ape.cli import network_option, verbosity_option

from scripts._hyperx import flags as hyperx
from scripts._stage import flags
from scripts._stage import options as common
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Offer your data in a HyperX session")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.argument("address")
@flags.samples
@click.option(
    "--licence",
    multiple=True,
    help="Under which you give your data; another session is refused. Repeat; default any.",
)
@flags.class_name
@flags.column_name
@flags.most_retention
@hyperx.limits
@click.option("--dry-run", is_flag=True, help="Show what it may cost and bring; sign nothing.")
@common.pay_to
@common.gas_price
@common.device
@flags.party
def cli(address: str, **options: object) -> None:
    """Join the session at ADDRESS and play the provider until its deposit is back.

    Task, terms, the cost in gas and the worst that may happen are shown before anything is signed.
    The same command goes on after a crash. Others fetch your encrypted shards from your node:
    leave this running, or give --ipfs a node that stays.
    """
    from scripts._hyperx.options import ProvideOptions
    from scripts._hyperx.providing import run_provide
    from scripts._stage.errors import one_line_each

    with one_line_each():
        run_provide(address, ProvideOptions(**options))  # type: ignore[arg-type]
