"""`ape run join`: a member trains with others on its own pictures (SecCL)."""

from __future__ import annotations

import click
from ape.cli import network_option, verbosity_option

from scripts._seccl import flags
from scripts._stage import flags as party
from scripts._stage import options as common
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Train with others on your own data (SecCL)")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.argument("announcement")
@party.data
@click.option(
    "--licence",
    multiple=True,
    help="Under which you help to train; another model is refused. Repeat; default any.",
)
@party.class_name
@party.most_retention
@flags.limits
@flags.trusted
@common.pay_to
@click.option("--dry-run", is_flag=True, help="Show what it may cost and bring; sign nothing.")
@common.gas_price
@common.device
@party.party
def cli(announcement: str, **options: object) -> None:
    """Apply to ANNOUNCEMENT, the id that browse and serve print, and play the member to the end.

    Task, terms, the cost in gas and the worst that may happen are shown before anything is signed.
    The pictures stay at home. What is sent is posted by the server; where it is not, the member
    posts and votes itself, asks, and convicts the server. The same command goes on after a crash.
    The rounds go by themselves with --yes alone.
    """
    from scripts._seccl.joining import run_join
    from scripts._seccl.party_options import JoinOptions
    from scripts._stage.errors import one_line_each

    with one_line_each():
        run_join(announcement, JoinOptions(**options))  # type: ignore[arg-type]
