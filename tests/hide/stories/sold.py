"""A story of a sale played to its end with a tiny family, and all that it left behind."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ape
import pytest
from rich.console import Console

from offchain.data.datasets import load_dataset
from offchain.hide.judging import Split
from offchain.hide.levels import Found
from offchain.hide.making import Cost, MadeFamily, Plan
from scripts._hide import workshop
from scripts._hide.options import SellOptions
from scripts._hide.play import SalePlay
from scripts._hide.record import SaleRecord
from scripts._hide.scene import Scene
from scripts._stage.telling import Telling
from scripts.sell import cli
from tests.kit.options import options_of
from tests.kit.snapshots import undone
from tests.offchain.hide.small import made_up_family

FREE = (15, 30, 45)
_LOADED = cache(load_dataset)
PRICES = (10**17, 3 * 10**17, 8 * 10**17)
STAKE = 2 * 10**17


@dataclass(frozen=True)
class Sold:
    """What is left of a sale.

    wrong: what did not end as the story demands. book: listed, closed, funds, held, by the chain.
    printed: on the console. secrets: of all roles, in hex. calldata: of all transactions, in hex.
    """

    wrong: list[str]
    record: SaleRecord
    scene: Scene
    book: tuple[bool, bool, int, int]
    printed: str
    secrets: Mapping[str, str]
    calldata: str
    folder: Path

    @property
    def gains(self) -> dict[str, int]:
        """What each party gained besides gas."""
        return {one.party: one.gain for one in self.record.money}

    @property
    def owned(self) -> list[int]:
        """The number of the best level that each buyer owns."""
        return [one.owned for one in self.record.buyers]


def small_options(folder: Path, **changes: Any) -> SellOptions:
    """The command line's defaults, with data small enough for a test."""
    small = {
        "images": 60,
        "test": 20,
        "epochs": 1,
        "workers": 1,
        "levels": "0.1,0.2,0.3",
        "keep": folder / "keep",
        "reports": folder / "reports",
    }
    return options_of(cli, SellOptions, **(small | changes))


def unmeasured(split: Split, plan: Plan, *args: Any, **options: Any) -> MadeFamily:
    """A family with random masks, in the place of one that takes minutes to find."""
    family = made_up_family(split.data, FREE)
    found = tuple(Found(one, one, one, True) for one in plan.levels)
    return MadeFamily(family, found, {}, 0.9, 0.1, Cost())


def with_a_gap(split: Split, plan: Plan, *args: Any, **options: Any) -> MadeFamily:
    """The same, but the second of three levels could not be reached."""
    low, middle, high = plan.levels
    found = (
        Found(low, 0.3, low, True),
        Found(middle, 0.5, low, False, "too far"),
        Found(high, 1, high, True),
    )
    return MadeFamily(made_up_family(split.data, FREE[::2]), found, {}, 0.9, 0.1, Cost())


def play(
    name: str,
    folder: Path,
    *,
    forgetful: bool = False,
    make: Callable[..., MadeFamily] = unmeasured,
    **changes: Any,
) -> Sold:
    """Plays `name` and undoes all of it on chain. make: stands in for the search of levels."""
    options, home, screen = small_options(folder, **changes), folder / "home", io.StringIO()
    sale = SalePlay(name, options, forgetful, home, Telling(Console(file=screen, width=100)))
    with undone(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(workshop, "make_family", make)
        patch.setattr(workshop, "load_dataset", _LOADED)
        before = ape.chain.blocks.height
        wrong = sale.run()
        assert sale.record is not None
        assert sale.scene is not None
        chain = sale.scene.chain
        blocks = range(before + 1, ape.chain.blocks.height + 1)
        return Sold(
            wrong,
            sale.record,
            sale.scene,
            tuple(chain.contract.bookOf(chain.id)),
            screen.getvalue(),
            {
                f"{file.stem}: {name}": value
                for file in home.glob("*.json")
                for name, value in json.loads(file.read_text()).items()
            },
            "".join(map(_calldata, blocks)),
            options.reports / name,
        )


def _calldata(number: int) -> str:
    block = ape.chain.provider.web3.eth.get_block(number, True)
    return "".join(transaction["input"].hex() for transaction in block["transactions"])
