"""A story of `ape run price` played to its end with tiny data, and all that it left behind."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts._mde.options import PriceOptions
from scripts._mde.play import Market
from scripts.price import cli
from tests.kit.options import options_of
from tests.kit.snapshots import undone


@dataclass(frozen=True)
class Played:
    """wrong: what did not end as it should; record: as JSON gives it; folder: of the report."""

    wrong: list[str]
    record: dict[str, Any]
    folder: Path

    def seller(self, number: int) -> dict[str, Any]:
        """What is kept of one, counted from 1."""
        return self.record["sellers"][number - 1]

    def gain(self, name: str) -> int:
        """What a party gained besides fees."""
        (found,) = (one["gain"] for one in self.record["money"] if one["party"] == name)
        return found


def small_options(**changes: Any) -> PriceOptions:
    """The command line's defaults, with little data."""
    small = {
        "sellers": "useful,mixed,redundant,irrelevant",
        "samples": 24,
        "own": 120,
        "validation": 150,
        "test": 200,
        "orders": 3,
    }
    return options_of(cli, PriceOptions, **(small | changes))


def play(name: str, folder: Path, *, forgetful: bool = False, **changes: Any) -> Played:
    """Plays `name` and undoes all of it on chain. forgetful: roles are killed before every step."""
    with undone():
        wrong = Market(name, small_options(**changes), folder, forgetful).run()
    record = json.loads((folder / name / "record.json").read_text())
    return Played(wrong, record, folder / name)
