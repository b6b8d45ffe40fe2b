"""A published model, an author of the truth and one of a lie."""

from __future__ import annotations

from pathlib import Path

import ape

from tests.market.plays import SUM
from tests.sum.stories.made_texts import LIE, MAPPING, TRAINING, TRUE, teach_options, write_csv
from tests.sum.stories.rehearsal import Rehearsal


def equip(folder: Path) -> None:
    """Writes everybody's texts; Anna calls the classes otherwise."""
    for party, rows in zip(SUM.parties, (TRAINING, TRUE, LIE), strict=True):
        write_csv(folder / party / "texts.csv", rows)


def rehearse(folder: Path) -> dict[str, int]:
    """What each gains, in wei; who published gains nothing yet."""
    owner, *accounts = ape.accounts.test_accounts[1:4]
    rehearsal = Rehearsal(folder / "rehearsal", owner)
    seats = [
        rehearsal.seat(
            party, account, teach_options(folder, folder / party / "texts.csv", class_name=names)
        )
        for party, account, names in zip(SUM.joining, accounts, (MAPPING, ()), strict=True)
    ]
    return {SUM.first: 0} | rehearsal.play(*seats)
