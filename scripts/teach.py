"""`ape run teach`: one's own labelled texts in somebody's shared model (SUM)."""

from __future__ import annotations

from typing import Any

import click
from ape.cli import network_option, verbosity_option

from scripts._stage import flags
from scripts._stage import options as common
from scripts._stage.command import ChainCommand
from scripts._sum import party_flags


@click.command(cls=ChainCommand, short_help="Teach a shared model your texts (SUM)")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.argument("model")
@party_flags.texts("Your texts")
@click.option(
    "--licence",
    multiple=True,
    help="Under which you give your texts; another model is refused. Repeat; default any.",
)
@flags.class_name
@party_flags.spending
@click.option(
    "--reports/--no-reports",
    default=True,
    show_default=True,
    help="Report others' data that the model denies, once some of yours proved good.",
)
@party_flags.least_share
@common.pay_to
@click.option("--dry-run", is_flag=True, help="Show what it may cost and bring; sign nothing.")
@common.gas_price
@flags.party
def cli(model: str, **options: Any) -> None:
    """Teach MODEL, as browse calls it, and play the author until all deposits are settled.

    Task, terms, gas and the worst that may happen are shown before anything is signed. The author
    announces, answers who turns the model against its data, takes refunds and rewards; it must look
    once a day, so leave this running. The same command goes on after a crash.
    """
    from scripts._stage.errors import one_line_each
    from scripts._sum.party_options import TeachOptions
    from scripts._sum.teaching import run_teach

    with one_line_each():
        run_teach(model, TeachOptions(**options))
