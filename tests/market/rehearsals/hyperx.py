"""A collector, a provider of clean pictures, and one whose labels are wrong."""

from __future__ import annotations

from pathlib import Path

from tests.hyperx.stories.played import play_story, small_options
from tests.kit.strangers import write_pictures

PLAN = "clean,mislabel:0.6"


def equip(folder: Path) -> None:
    """Writes everybody's pictures; Anna calls the classes otherwise."""
    options = small_options(folder, plan=PLAN)
    validation, (clean, bad), _ = options.data(options.corruption_plan(), print, None)
    write_pictures(folder / "carol" / "pictures", validation)
    write_pictures(folder / "anna" / "pictures", clean, "{} - digit".format)
    write_pictures(folder / "bert" / "pictures", bad)


def rehearse(folder: Path) -> dict[str, int]:
    """What each gains, in wei."""
    story = play_story("honest", folder, plan=PLAN)
    assert story.wrong == []
    named = {"carol": "collector", "anna": "provider 1", "bert": "provider 2"}
    return {party: story.gains[name] for party, name in named.items()}
