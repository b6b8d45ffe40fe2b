"""`ape run report`: others' data that a shared model denies, reported for money (SUM)."""

from __future__ import annotations

from typing import Any

import click
from ape.cli import network_option, verbosity_option

from scripts._stage import flags
from scripts._stage import options as common
from scripts._stage.command import ChainCommand
from scripts._sum import party_flags


@click.command(cls=ChainCommand, short_help="Report bad data in a shared model (SUM)")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.argument("model")
@party_flags.least_share
@common.pay_to
@click.option("--dry-run", is_flag=True, help="Show what there is to report; sign nothing.")
@flags.party
def cli(model: str, **options: Any) -> None:
    """Report what MODEL, as browse calls it, denies of others' data, and take the shares.

    Who reports has good data there. What nobody claims for long is taken over as well.
    """
    from scripts._stage.errors import one_line_each
    from scripts._sum.party_options import ReportOptions
    from scripts._sum.teaching import run_report

    with one_line_each():
        run_report(model, ReportOptions(class_name=(), **options))
