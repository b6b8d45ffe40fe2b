"""`ape run keep`: a keeper does for parties that are away what anybody may do."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click
from ape.cli import network_option, verbosity_option

from scripts._market import mechanisms
from scripts._stage import flags
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Do for others what anybody may do")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.option(
    "--mechanism",
    "chosen",
    multiple=True,
    type=click.Choice(mechanisms.KEPT),
    help="Of these mechanisms alone; repeat.",
)
@click.option("--once", is_flag=True, help="Do what is due now, and end.")
@flags.party
def cli(
    chosen: tuple[str, ...],
    once: bool,
    account: str,
    yes: bool,
    deployments: Path,
    as_json: bool,
    ipfs: str | None,
    listen: str,
    peer: tuple[str, ...],
) -> None:
    """Settle what lapsed, open and close what is overdue, and object to what a shared model denies,
    until you stop it.

    That brings the keeper nothing and costs it gas; nobody depends on it but who is away. With
    --ipfs or --peer it also answers what SecCL's servers are asked, where the datastore has it.
    """
    from offchain.storage import Network
    from scripts._stage.errors import one_line_each
    from scripts._stage.keeping import keep
    from scripts._stage.party import PartyTelling, party_account
    from scripts._stage.reading import reading_store

    with one_line_each():
        names = chosen or mechanisms.KEPT
        with ExitStack() as open_:
            store = None
            if ipfs is not None or peer:
                node = reading_store(ipfs, Network(listen, peer))
                store = open_.enter_context(node)
            keep(
                [mechanisms.duties(name, deployments, store) for name in names],
                party_account(account, yes),
                PartyTelling(as_json=as_json),
                once=once,
            )
