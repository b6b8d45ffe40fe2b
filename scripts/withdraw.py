"""`ape run withdraw`: takes out of a contract what it owes to an account."""

from __future__ import annotations

from typing import Any

import click
from ape.cli import network_option, verbosity_option

from scripts._market import mechanisms
from scripts._stage import flags
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Take your money out")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.argument("reference")
@flags.pay_out
def cli(reference: str, **options: Any) -> None:
    """Take out what is owed to --account in REFERENCE, as browse calls it: in a session of HyperX a
    deposit and what was earned with it, a reward that could not be paid, or what is left of the
    escrow.
    """
    from scripts._stage.errors import one_line_each
    from scripts._stage.party import WithdrawOptions

    with one_line_each():
        mechanisms.run_withdraw(reference, WithdrawOptions(**options))
