"""`ape run deploy`: puts Souk's contracts on a network, at one address everywhere."""

from __future__ import annotations

from pathlib import Path

import click
from ape.cli import network_option, verbosity_option

from scripts._stage import flags
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Deploy all contracts and factories")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.option("--account", help="Account of Ape's that pays; off a local chain.")
@click.option("--yes", is_flag=True, help="Sign without asking.")
@click.option("--dry-run", is_flag=True, help="Show what it would cost, and send nothing.")
@click.option(
    "--deployments",
    type=click.Path(path_type=Path, file_okay=False, writable=True),
    default=Path("deployments"),
    show_default=True,
    help="Folder of the file that says what is where.",
)
@flags.as_json
def cli(account: str | None, yes: bool, dry_run: bool, deployments: Path, as_json: bool) -> None:
    """Put on a network what it lacks of Souk: HyperX's factory, both sales, board and consensus.

    Every contract has the same address on every chain, whoever deploys it. What is there is left
    alone, so that an interrupted run goes on where it stopped. Where they are, and from which block
    on, goes to a file; what an explorer needs to verify them, beside it.

    A node of your own on this machine is reached with APE_FOUNDRY_HOST=http://127.0.0.1:8545.
    """
    from scripts._stage.deploying import run_deploy
    from scripts._stage.errors import one_line_each

    with one_line_each():
        run_deploy(account, yes, dry_run, deployments, as_json=as_json)
