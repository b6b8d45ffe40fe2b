"""`ape run serve`: a server finds members and trains one model with them (SecCL)."""

from __future__ import annotations

import click
from ape.cli import network_option, verbosity_option

from scripts._seccl import flags
from scripts._stage import flags as party
from scripts._stage import options as common
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Find members and train together (SecCL)")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@flags.terms
@flags.asked
@common.licence()
@party.retention
@flags.test_pictures
@party.class_name
@click.option(
    "--least-members",
    type=click.IntRange(3, 1_024),
    default=3,
    show_default=True,
    help="With fewer nothing is opened.",
)
@click.option(
    "--most-members",
    type=click.IntRange(3, 1_024),
    default=20,
    show_default=True,
    help="Of more the first are taken.",
)
@click.option(
    "--invite",
    multiple=True,
    metavar="ADDRESS",
    help="Take this account, and nobody who is not named so. Repeat; default anybody.",
)
@click.option(
    "--apply-hours",
    type=click.FloatRange(0.05, 720),
    default=1.0,
    show_default=True,
    help="How long others may apply, in hours.",
)
@common.pay_to
@common.seed("Of the first model.")
@click.option("--dry-run", is_flag=True, help="Show what it may cost; sign nothing.")
@common.gas_price
@common.device
@party.party
def cli(**options: object) -> None:
    """Announce a federation, open it with those who apply, and play the server until its stake is
    back.

    Nobody has to trust the server: what it signs and does not keep costs it the stake. The same
    command goes on with the same federation after a crash; it has to be back before what it
    signed is due, half a window at most. The rounds go by themselves with --yes alone.
    """
    from scripts._seccl.party_options import ServeOptions
    from scripts._seccl.serving import run_serve
    from scripts._stage.errors import one_line_each

    with one_line_each():
        run_serve(ServeOptions(**options))  # type: ignore[arg-type]
