"""A buyer and two sellers, strangers to each other, end as the one-process rehearsal does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import ape
import click
import pytest
import torch

from offchain.data.datasets import load_dataset
from offchain.data.form import Pictures
from offchain.data.imageset import DataError, ImageSet
from offchain.mde.deals import DealState
from offchain.mde.partition import Holding, Partition
from offchain.mde.report import UNDECIDED
from offchain.mde.samples import Samples
from offchain.mde.session import DealSession
from offchain.report.text import amount
from offchain.task import ClassNames
from offchain.task.images import relabelled
from scripts._market import mechanisms
from scripts._mde.chain import read_deals
from scripts._mde.exporting import run_export
from scripts._mde.options import PriceOptions
from scripts._mde.play import Market
from scripts._mde.seats import CONTRACT
from scripts._stage.chain import HOME
from scripts._stage.deployments import address_of
from scripts._stage.party import ExportOptions, WithdrawOptions
from scripts.price import cli
from tests.kit.options import options_of
from tests.kit.shared_chain import browsed, reading, shared_chain, watched
from tests.kit.snapshots import undone
from tests.kit.strangers import (
    Stranger,
    awaited,
    gained,
    go_to,
    mapping,
    refused_by_name,
    spelled,
    strangers,
)

SIZE, SET = 8, 30
LACKED = (7, 8, 9)
"""Classes of which the buyer has little."""
LICENCE = "CC-BY-4.0"
TERMS = {
    "--licence": LICENCE,
    "--samples": str(SET),
    "--image-size": str(SIZE),
    "--minutes": "10",
    "--wait": "0.5",
    "--settlement": "sealed",
}


MAPPING = mapping(LACKED)


def parts() -> dict[str, ImageSet]:
    """Whose digits are whose, no sample twice. Anna has what is lacking, Bert half of it."""
    digits = load_dataset("digits", size=SIZE)
    of = [(digits.labels == label).nonzero().flatten() for label in range(10)]

    def some(start: int, counts: dict[int, int]) -> ImageSet:
        rows = [of[label][start : start + count] for label, count in counts.items()]
        return digits.subset(torch.cat(rows))

    lacked = dict.fromkeys(LACKED, SET // 3)
    return {
        "own": some(0, {label: 2 if label in LACKED else 16 for label in range(10)}),
        "judged": some(50, dict.fromkeys(range(10), 12)),
        "anna": some(100, lacked),
        "bert": some(150, {7: SET // 2, 1: SET // 2}),
    }


@dataclass(frozen=True)
class OwnFolders(PriceOptions):
    """A rehearsal with the very data that the strangers have."""

    def partition(self, note, progress) -> Partition:
        own, judged, *sellers = (load_dataset(path, size=SIZE) for path in self.dataset.split("|"))
        classes = own.classes
        samples = [
            Samples.of(relabelled(one, classes, names_of(one))) for one in (own, judged, *sellers)
        ]
        holdings = tuple(Holding("own", one) for one in samples[2:])
        return Partition(*samples[:2], samples[1], classes, holdings, Pictures(samples[0].shape))


def names_of(data: ImageSet) -> ClassNames:
    """What maps the classes of a set that calls them otherwise."""
    said = [f"{name}={name[0]}" for name in data.classes if len(name) > 1]
    return ClassNames.parse(said)


@pytest.fixture
def folders(tmp_path) -> dict[str, Path]:
    """Everybody's pictures, of which Anna calls the classes otherwise."""
    found = {}
    for name, data in parts().items():
        one = Stranger.__new__(Stranger)
        one.folder = tmp_path / "data" / name
        one.own(data, spelled if name == "anna" else str)
        found[name] = one.pictures
    return found


@pytest.fixture
def rehearsed(project, tmp_path, folders) -> dict[str, int]:
    """What each party gains where one process plays all of them, with the same data."""
    options = options_of(
        cli,
        OwnFolders,
        dataset="|".join(map(str, folders.values())),
        sellers="useful,useful",
        samples=SET,
        minutes=10.0,
        settlement="sealed",
        orders=1,
    )
    with undone():
        market = Market("honest", options, tmp_path / "rehearsal")
        assert market.run() == []
    assert market.record is not None
    return {one.party: one.gain for one in market.record.money}


@pytest.fixture
def node(rehearsed, project, monkeypatch, tmp_path) -> Iterator[str]:
    """A chain whose blocks come by themselves, with the sale on it.

    After the rehearsal, which would wait there as strangers do.
    """
    with shared_chain(tmp_path, monkeypatch, CONTRACT) as uri:
        yield uri


@pytest.fixture
def parties(node, tmp_path) -> Iterator[tuple[Stranger, ...]]:
    """Carol has a model that lacks three digits, Anna has them, Bert one of them."""
    with strangers(tmp_path, node, "carol", "anna", "bert") as found:
        yield found


def session() -> DealSession:
    """All deals so far."""
    return read_deals(ape.project.DatasetSale.at(address_of(CONTRACT)), 0)


def stands(state: DealState, count: int) -> None:
    """Waits until so many sales stand there, or further."""
    awaited(
        f"{count} {state.name}",
        lambda: sum(one.state >= state for one in session().sales.values()) >= count,
    )


def test_strangers_end_as_the_rehearsal_does(
    rehearsed, node, parties, partys_daemon, folders, tmp_path, monkeypatch, capsys
) -> None:
    """One spells the classes differently and lacks some, one stores and writes by a daemon, and two
    are killed; nothing but chain and nodes is common to them."""
    carol, anna, bert = parties
    ordering = [
        *carol.arguments("--dataset", str(folders["own"])),
        *("--judged-by", str(folders["judged"])),
        *(word for pair in TERMS.items() for word in pair),
    ]
    carol.start("order", *ordering)
    peer = carol.told("datastore")["peer"]
    order = carol.told("order")["order"]
    quoting = {
        one.name: [
            *(order, *one.arguments("--dataset", str(folders[one.name]))),
            *("--peer", peer, "--licence", LICENCE, "--send"),
        ]
        for one in (anna, bert)
    }
    quoting["bert"] += ["--ipfs", partys_daemon]

    refused_by_name(anna, "quote", quoting["anna"], "7 - digit", "8 - digit")

    anna.start("quote", *quoting["anna"], *MAPPING)
    bert.start("quote", *quoting["bert"])
    stands(DealState.QUOTED, 2)
    anna.kill()
    carol.kill()
    priced_at_home(anna, quoting["anna"])
    book = session().books[bytes.fromhex(order[2:])]
    go_to(node, book.opened + 1_800)
    carol.start("order", *ordering)
    assert carol.told("order", posted=True)["order"] == order
    anna.start("quote", *quoting["anna"], *MAPPING)
    assert carol.told("over")["bought"] >= 1
    assert anna.told("over")["sold"]
    assert carol.ended() == anna.ended() == 0
    # What was not bought can be bought no more once the budget is home.
    bert.told("over")
    assert bert.ended() == 0

    gains = [gained(node, one.address) for one in parties]
    assert gains == [rehearsed[one] for one in ("buyer", "seller 1", "seller 2")]
    assert sum(gains) == 0
    assert gains[1] > 0
    exported(order, carol, folders["anna"], tmp_path, monkeypatch)
    found(order, carol, peer, tmp_path, monkeypatch, capsys)


def priced_at_home(anna: Stranger, quoting: list[str]) -> None:
    """The buyer's artefact came already: the price is computed without the buyer, and is the one
    that was quoted."""
    here = anna.run("quote", *(one for one in quoting if one != "--send"), *MAPPING, "--json")
    assert here.returncode == 0, here.stderr
    # Ape's own warnings about the account stand between the lines.
    *_, said = [json.loads(line) for line in here.stdout.splitlines() if line.startswith("{")]
    (sale,) = (one for one in session().sales.values() if one.deal.dataset.seller == anna.address)
    assert said == {
        "event": "accepted",
        "samples": SET,
        "price": f"{amount(sale.price, 18)} ETH",
        "undecided": UNDECIDED,  # by so few pictures
    }


def exported(
    order: str, carol: Stranger, sources: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was bought is the seller's files by the task's classes, bound to what was registered."""
    monkeypatch.setenv(HOME, str(carol.folder / "souk"))
    options = ExportOptions(
        out=folder / "bought",
        check=False,
        **reading(folder, as_json=False),
    )
    run_export(order, options)
    ids = [one.dataset.hex() for one in session().sales.values() if one.state is DealState.SETTLED]
    anna = options.out / f"0x{ids[0]}"
    proof = json.loads((anna / "proof.json").read_text())
    assert (proof["order"], proof["licence"], proof["samples"]) == (order, LICENCE, SET)
    classes = {path.name: len(list(path.iterdir())) for path in anna.iterdir() if path.is_dir()}
    assert {name: count for name, count in classes.items() if count} == {
        str(label): SET // 3 for label in LACKED
    }
    sold = {path.read_bytes() for path in sources.rglob("*.png")}
    assert {path.read_bytes() for path in anna.rglob("*.png")} == sold
    run_export(order, replace(options, check=True))
    one, *_ = sorted((anna / "7").glob("*.png"))
    shutil.move(one, anna / "8" / one.name)
    with pytest.raises(DataError, match=r"was sold as 7"):
        run_export(order, replace(options, check=True))
    shutil.move(anna / "8" / one.name, one)
    (anna / "proof.json").write_text(json.dumps(proof | {"price": "1"}))
    with pytest.raises(click.ClickException, match=r"proof.json is not what was sold: price"):
        run_export(order, replace(options, check=True))


def found(
    order: str,
    carol: Stranger,
    peer: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The order is found by classes and licence, and what happened under it is told."""
    monkeypatch.setenv(HOME, str(carol.folder / "souk"))
    wanted = {"classes": ("7",), "licence": "cc-by-4.0"}
    (line,) = browsed(capsys, reading(folder), ("mde",), **wanted)
    assert (line["event"], line["address"], line["joined"]) == ("open", order, 2)
    assert peer in line["contact"]
    for other in ({"classes": ("cat",)}, {"licence": "MIT"}, {"all_": False}):
        assert browsed(capsys, reading(folder), ("mde",), **(wanted | other)) == []
    told = [one["event"] for one in watched(capsys, order, folder)]
    assert told.count("quoted") == 2
    assert told[0] == "posted"
    assert told[-1] == "over"
    taking = WithdrawOptions(
        account="TEST::0",
        yes=True,
        pay_to=None,
        deployments=folder / "deployments",
        as_json=True,
    )
    with pytest.raises(click.ClickException, match="owes nothing to 0x"):
        mechanisms.run_withdraw(order, taking)
