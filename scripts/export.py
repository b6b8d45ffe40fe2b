"""`ape run export`: what a HyperX session bought, as a folder of pictures with its proof."""

from __future__ import annotations

from pathlib import Path

import click
from ape.cli import network_option, verbosity_option

from scripts._hyperx import flags
from scripts._stage.command import ChainCommand


@click.command(cls=ChainCommand, short_help="Write a bought dataset to a folder")
@network_option(default="ethereum:local:foundry")
@verbosity_option(default="WARNING")
@click.argument("address")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder to write, one of pictures for each class.",
)
@click.option("--check", is_flag=True, help="Write nothing; compare OUT with the chain again.")
@flags.reading
def cli(address: str, **options: object) -> None:
    """Write the dataset that the session at ADDRESS bought, and compare it with the chain.

    proof.json beside the pictures names session, transaction, roots, task and licence; task.json is
    the task document. A key that was published lets anybody export, a sealed one the collector.
    """
    from scripts._hyperx.exporting import ExportOptions, run_export
    from scripts._stage.errors import one_line_each

    with one_line_each():
        run_export(address, ExportOptions(**options))  # type: ignore[arg-type]
