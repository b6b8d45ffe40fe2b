"""`ape run hide`: masks a dataset so that models cannot learn from it, and makes its cleaners."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from scripts._hide import flags


@click.command(short_help="Mask a dataset, with a cleaner for each level (Hide-and-Seek)")
@click.argument("dataset")
@flags.masking
@flags.mask_network("--network")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False, writable=True),
    required=True,
    help="Folder for what is published and, under private/, for what is not.",
)
def cli(dataset: str, out: Path, **options: Any) -> None:
    """Mask DATASET, a directory with one folder of images per class or a dataset's name.

    OUT gets the masked dataset as PNG files in published/ and as published.safetensors, and
    levels.json, which says what each level reaches. OUT/private, for your eyes alone, gets a
    cleaner for each level, the family file that holds every mask, and pictures.

    Needs no chain. Every accuracy measured is kept under OUT/private at once: the same command goes
    on where it was stopped.
    """
    from scripts._hide.mask import hide
    from scripts._hide.mask_options import MaskOptions
    from scripts._stage.errors import one_line_each

    with one_line_each():
        hide(MaskOptions(dataset=dataset, **options), out)
