"""A buyer whose model lacks three digits, a seller that has them, and one that has one of them."""

from __future__ import annotations

from pathlib import Path

from scripts._mde.play import Market
from scripts.price import cli
from tests.kit.options import options_of
from tests.kit.snapshots import undone
from tests.kit.strangers import write_pictures
from tests.mde.stories.test_strangers import SET, OwnFolders, parts

PLACES = {
    "own": "carol/pictures",
    "judged": "carol/judged",
    "anna": "anna/pictures",
    "bert": "bert/pictures",
}


def equip(folder: Path) -> None:
    """Writes everybody's pictures; Anna calls the classes otherwise."""
    for name, data in parts().items():
        spelled = "{} - digit".format if name == "anna" else str
        write_pictures(folder / PLACES[name], data, spelled)


def rehearse(folder: Path) -> dict[str, int]:
    """What each gains, in wei."""
    options = options_of(
        cli,
        OwnFolders,
        dataset="|".join(str(folder / PLACES[name]) for name in parts()),
        sellers="useful,useful",
        samples=SET,
        minutes=20.0,
        settlement="sealed",
        orders=1,
    )
    with undone():
        market = Market("honest", options, folder / "rehearsal")
        assert market.run() == []
    assert market.record is not None
    gains = {one.party: one.gain for one in market.record.money}
    named = {"carol": "buyer", "anna": "seller 1", "bert": "seller 2"}
    return {party: gains[name] for party, name in named.items()}
