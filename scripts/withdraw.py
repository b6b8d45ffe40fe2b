"""`ape run withdraw`: takes out of a HyperX session what it owes to an account."""

from __future__ import annotations

import click
from ape.cli import network_option, verbosity_option

from scripts._hyperx import flags
from scripts._stage import options as common
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Take your money out of a session")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.argument("address")
@common.pay_to
@flags.signing
@flags.deployments
@flags.as_json
def cli(address: str, **options: object) -> None:
    """Take out what the session at ADDRESS owes to --account: a deposit and what was earned with
    it, a reward that could not be paid, or what is left of the escrow.
    """
    from scripts._hyperx.withdrawing import WithdrawOptions, run_withdraw
    from scripts._stage.errors import one_line_each

    with one_line_each():
        run_withdraw(address, WithdrawOptions(**options))  # type: ignore[arg-type]
