"""`ape run deploy`: puts the factory of sessions on a network and notes where."""

from __future__ import annotations

from pathlib import Path

import click
from ape.cli import network_option, verbosity_option

from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Deploy the factory of sessions")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.option("--account", help="Keystore account that pays; off a local chain.")
@click.option("--yes", is_flag=True, help="Sign without asking.")
@click.option(
    "--deployments",
    type=click.Path(path_type=Path, file_okay=False, writable=True),
    default=Path("deployments"),
    show_default=True,
    help="Folder of the file that says where the factory lives.",
)
def cli(account: str | None, yes: bool, deployments: Path) -> None:
    """Deploy TradingSessionFactory; write address, block and compiler settings to a file.

    A node of your own on this machine is reached with APE_FOUNDRY_HOST=http://127.0.0.1:8545.
    """
    import ape

    from scripts._stage.accounts import is_local, load
    from scripts._stage.deployments import deploy_factory, deployments_path
    from scripts._stage.errors import one_line_each

    with one_line_each():
        if account is None and not is_local():
            raise click.ClickException("off a local chain name --account, a keystore account")
        sender = load(account, yes) if account else ape.accounts.test_accounts[0]
        path = deployments_path(deployments)
        factory = deploy_factory(sender, path)
    click.echo(f"TradingSessionFactory {factory.address}, written to {path}")
