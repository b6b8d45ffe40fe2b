"""`ape run export`: what was bought, as files that others read, with its proof."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from ape.cli import network_option, verbosity_option

from scripts._market import mechanisms
from scripts._stage import flags
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Write what was bought to a folder")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.argument("reference")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write; pictures lie in one for each class.",
)
@click.option("--check", is_flag=True, help="Write nothing; compare OUT with the chain again.")
@flags.reading
def cli(reference: str, **options: Any) -> None:
    """Write what was bought in REFERENCE, as browse calls it, and compare it with the chain.

    proof.json beside it names contract, transaction, roots, task and licence; task.json is the task
    document. In HyperX a key that was published lets anybody export, a sealed one the collector.
    """
    from scripts._stage.errors import one_line_each
    from scripts._stage.party import ExportOptions

    with one_line_each():
        mechanisms.run_export(reference, ExportOptions(**options))
