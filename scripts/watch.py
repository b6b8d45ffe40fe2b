"""`ape run watch`: what happens in a HyperX session, as the chain tells it."""

from __future__ import annotations

import click
from ape.cli import network_option, verbosity_option

from scripts._hyperx import flags
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Watch a session")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.argument("address")
@click.option("--once", is_flag=True, help="Tell what happened so far, and end.")
@flags.deployments
@flags.as_json
def cli(address: str, **options: object) -> None:
    """Tell what happened in the session at ADDRESS and, until it is over, what happens next."""
    from scripts._hyperx.watching import run_watch
    from scripts._stage.errors import one_line_each

    with one_line_each():
        run_watch(address, **options)  # type: ignore[arg-type]
