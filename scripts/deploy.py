"""`ape run deploy`: puts the factory of sessions on a network and notes where."""

from __future__ import annotations

import click
from ape.cli import ConnectedProviderCommand, network_option, verbosity_option


@click.command(cls=ConnectedProviderCommand, short_help="Deploy the factory of sessions")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.option("--account", help="Keystore account that pays; off a local chain.")
@click.option("--yes", is_flag=True, help="Sign without asking.")
def cli(account: str | None, yes: bool) -> None:
    """Deploy TradingSessionFactory; write address, block and compiler settings to deployments/."""
    import ape

    from scripts._accounts import is_local, load
    from scripts._deployments import deploy_factory, deployments_path

    if account is None and not is_local():
        raise click.ClickException("off a local chain name --account, a keystore account")
    sender = load(account, yes) if account else ape.accounts.test_accounts[0]
    factory = deploy_factory(sender)
    click.echo(f"TradingSessionFactory {factory.address}, written to {deployments_path()}")
