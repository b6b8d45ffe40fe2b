"""`ape run publish`: puts a shared model of one's own on a network (SUM)."""

from __future__ import annotations

from typing import Any

import click
from ape.cli import network_option, verbosity_option

from scripts._stage import flags
from scripts._stage import options as common
from scripts._stage.command import ChainCommand
from scripts._sum import party_flags


@click.command(cls=ChainCommand, short_help="Publish a shared model (SUM)")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@party_flags.texts("What the first model learns")
@party_flags.model
@party_flags.terms
@common.licence()
@flags.class_name
@click.option("--content", default="", help="What a text may contain, in words.")
@click.option("--contact", multiple=True, help="Mail or page of yours; repeat.")
@common.seed("Of the order of lessons.")
@common.gas_price
@click.option("--dry-run", is_flag=True, help="Show what it would be and cost; sign nothing.")
@click.option("--leave", is_flag=True, help="End when the model is open.")
@flags.party
def cli(**options: Any) -> None:
    """Train a first model, put it on the chain and open it to everybody.

    The same command goes on where it was killed. Others fetch task and vocabulary from your node:
    leave this running, or give --ipfs a node that stays.
    """
    from scripts._stage.errors import one_line_each
    from scripts._sum.party_options import PublishOptions
    from scripts._sum.publishing import run_publish

    with one_line_each():
        run_publish(PublishOptions(**options))
