"""`ape run watch`: what happens in a session, listing, order, federation or model."""

from __future__ import annotations

from typing import Any

import click
from ape.cli import network_option, verbosity_option

from scripts._market import mechanisms
from scripts._stage import flags
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Watch a session, or what else is open")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.argument("reference")
@click.option("--once", is_flag=True, help="Tell what happened so far, and end.")
@click.option(
    "--content",
    is_flag=True,
    help="Look as well whether what parties have to keep can be fetched: some of it once a minute.",
)
@flags.reading
def cli(reference: str, **options: Any) -> None:
    """Tell what happened in REFERENCE, as browse calls it, and what happens until it is over."""
    from scripts._stage.errors import one_line_each

    with one_line_each():
        mechanisms.run_watch(reference, **options)
