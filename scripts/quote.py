"""`ape run quote`: a seller prices its own data under somebody's order, and sells it (MDE)."""

from __future__ import annotations

import click
from ape.cli import network_option, verbosity_option

from scripts._mde import flags as mde
from scripts._stage import flags
from scripts._stage import options as common
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Price your data under an order, and sell it")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.argument("order")
@flags.samples
@click.option(
    "--licence",
    multiple=True,
    help="Under which you give your data; another order is refused. Repeat; default any.",
)
@flags.class_name
@flags.column_name
@flags.most_retention
@mde.limits
@click.option(
    "--accept-token",
    multiple=True,
    metavar="ADDRESS",
    help="Sell for this token, too, beside the native coin. Repeat.",
)
@click.option(
    "--stay",
    type=click.FloatRange(min=0.1, max=8_760),
    default=72.0,
    show_default=True,
    help="Hours in which the order may come to something before you take your stake home.",
)
@click.option(
    "--quote-hours",
    type=click.FloatRange(min=0.1, max=720),
    default=48.0,
    show_default=True,
    help="How long your quote stands.",
)
@click.option("--send", is_flag=True, help="Commit to your data, quote and sell.")
@common.gas_price
@common.pay_to
@flags.party
def cli(order: str, **options: object) -> None:
    """Show what your data meets under ORDER, and with --send sell them under it.

    Without --send nothing leaves: task, terms, gas, the worst that may happen, and the price, where
    the buyer's artefact came already. With it your data is encrypted and committed to, the buyer is
    told, the price computed here and proposed, and the key given once it is paid. Without --yes you
    are asked before each step that binds you or moves money; no ends the command. The same command
    goes on after a crash. Others fetch your encrypted samples from your node: leave this running,
    or give --ipfs a node that stays.
    """
    from scripts._mde.party_options import QuoteOptions
    from scripts._mde.quoting import run_quote
    from scripts._stage.errors import one_line_each

    with one_line_each():
        run_quote(order, QuoteOptions(**options))  # type: ignore[arg-type]
