"""`ape run seek`: applies a cleaner to the masked dataset it was bought for."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Apply a cleaner to a masked dataset (Hide-and-Seek)")
@click.argument("masked", type=click.Path(path_type=Path, exists=True))
@click.argument("cleaner", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder for the cleaned images, or, when it ends in .safetensors, one compact file.",
)
def cli(masked: Path, cleaner: Path, out: Path) -> None:
    """Apply CLEANER to MASKED, a published folder of PNG files or its compact file.

    Refused, with nothing written, when the cleaner was made for another dataset, is damaged, or
    does not give the dataset that it names. Needs no chain.
    """
    from scripts._hide.seek import seek
    from scripts._stage.errors import one_line_each

    with one_line_each():
        seek(masked, cleaner, out)
