"""A seller of masked pictures and a buyer of the best level."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from scripts._hide.mask_report import Masked
from scripts._hide.workshop import load_split
from tests.hide.stories.sold import play, small_options, unmeasured
from tests.kit.strangers import write_pictures


def equip(folder: Path) -> None:
    """Writes what `ape run hide` writes, with random masks; Anna has clean pictures."""
    options = small_options(folder)
    split = load_split(
        "digits", options.images, options.test, 0, None, False, None, False, print, None
    )
    said = asdict(options) | {"check": options.check}
    made = Masked.of(unmeasured(split, options.plan()), split, (), options.check, said)
    masked = folder / "sara" / "masked"
    masked.mkdir(parents=True)
    made.write(masked, lambda done, total: None)
    write_pictures(folder / "anna" / "pictures", split.test, "{} - digit".format)


def rehearse(folder: Path) -> dict[str, int]:
    """What each gains, in wei."""
    sold = play("honest", folder, buyers="3")
    assert sold.wrong == []
    return {"sara": sold.gains["seller"], "anna": sold.gains["buyer 1"]}
