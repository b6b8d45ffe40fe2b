"""`ape run browse`: what is open on a network, and asks for what you have."""

from __future__ import annotations

from typing import Any

import click
from ape.cli import network_option, verbosity_option

from scripts._market import mechanisms
from scripts._stage import flags
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Find what is open on a network")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.option(
    "--mechanism", type=click.Choice(sorted(mechanisms.MECHANISMS)), help="Of one mechanism alone."
)
@click.option("--class", "classes", multiple=True, help="A class that the task has; repeat.")
@click.option("--licence", help="Of what is bought.")
@click.option(
    "--least-reward", help="Amount, as 1 ether; what pays in other money than --token is left out."
)
@click.option("--token", help="Address of the ERC-20 that --least-reward is in; default the coin.")
@click.option("--all", "all_", is_flag=True, help="Also what can be joined no more.")
@flags.reading
def cli(mechanism: str | None, **options: Any) -> None:
    """List what is open, from the factories' events, with its task where that can be fetched.

    Tasks lie in the datastore: without --ipfs name a node that has them, by --peer.
    """
    from scripts._stage.browsing import run_browse
    from scripts._stage.errors import one_line_each

    with one_line_each():
        chosen = (mechanism,) if mechanism else mechanisms.MECHANISMS
        run_browse(mechanisms.listed, chosen, **options)
