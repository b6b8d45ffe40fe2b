"""What `ape run seek` does, and what it prints meanwhile."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from offchain.data.folder import write_folder
from offchain.files import write_whole
from offchain.hide.cleaner import apply, load_cleaner
from offchain.hide.errors import HideError
from offchain.hide.published import encode_dataset, load_published
from scripts._stage.telling import Telling


def seek(masked: Path, cleaner: Path, out: Path) -> None:
    """Applies the cleaner and writes what it gives; see `ape run seek --help`."""
    if out.exists():
        raise HideError(f"{out} exists: name a file or folder that does not")
    telling = Telling(Console(width=120))
    with telling.doing("reading images") as progress:
        published = load_published(masked, telling.left_out, progress)
        bought = load_cleaner(cleaner, published)
    with telling.doing("cleaning"):
        cleaned = apply(published, bought)
    with telling.doing("writing") as progress:
        out.parent.mkdir(parents=True, exist_ok=True)
        if out.suffix == ".safetensors":
            write_whole(out, encode_dataset(cleaned))
        else:
            write_folder(cleaned, out, progress)
    freed = int(bought.slices.counts.sum())
    telling.console.print(
        f"level {bought.level}: {freed} of {len(cleaned)} images are free of masks, SHA-256 "
        f"{cleaned.digest()}",
        highlight=False,
        soft_wrap=True,
    )
    telling.console.print(str(out), highlight=False, soft_wrap=True)
