"""A buyer and a seller of a table, strangers to each other: its numbers are priced and sold."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path

import ape
import pytest

from offchain.mde.deals import DealState
from offchain.mde.session import DealSession
from scripts._mde.chain import read_deals
from scripts._mde.seats import CONTRACT
from scripts._stage.deployments import address_of
from tests.kit.shared_chain import shared_chain
from tests.kit.strangers import Stranger, awaited, exported, go_to, strangers

COLUMNS = ("age", "education", "hours", "income")
TERMS = ("--label", "income", "--licence", "MIT", "--samples", "30", "--minutes", "10")
TERMS += ("--wait", "0.5", "--settlement", "open")


def people(path: Path, rich: int, poor: int, names: tuple[str, ...] = COLUMNS) -> Path:
    """So many people of either income."""
    draw = random.Random(path.name)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        for i in range(rich + poor):
            education = draw.choice(["Masters", "Doctorate"] if i < rich else ["HS-grad", "11th"])
            age, hours = round(draw.gauss(50 if i < rich else 35, 8), 1), draw.randrange(20, 60)
            writer.writerow([age, education, hours, ">50K" if i < rich else "<=50K"])
    return path


@pytest.fixture
def node(project, monkeypatch, tmp_path) -> Iterator[str]:
    """A chain whose blocks come by themselves, with the sale on it."""
    with shared_chain(tmp_path, monkeypatch, CONTRACT) as uri:
        yield uri


@pytest.fixture
def parties(node, tmp_path) -> Iterator[tuple[Stranger, ...]]:
    """Carol, whose model saw few of the rich, and Anna, who has them."""
    with strangers(tmp_path, node, "carol", "anna") as found:
        yield found


def session() -> DealSession:
    """All deals so far."""
    return read_deals(ape.project.DatasetSale.at(address_of(CONTRACT)), 0)


def test_rows_are_priced_by_what_they_add_and_sold(node, parties, tmp_path) -> None:
    """Anna's columns are in another order, and one is called otherwise."""
    carol, anna = parties
    own = people(tmp_path / "own.csv", 3, 60)
    judged = people(tmp_path / "judged.csv", 40, 40)
    mine = people(tmp_path / "mine.csv", 25, 5, ("years", *COLUMNS[1:]))
    said = carol.arguments("--dataset", str(own), "--judged-by", str(judged))
    carol.start("order", *said, *TERMS)
    peer, order = carol.told("datastore")["peer"], carol.told("order")["order"]
    quoting = [
        *(order, *anna.arguments("--dataset", str(mine), "--label", "income")),
        *("--peer", peer, "--licence", "MIT", "--send"),
    ]

    refused = anna.run("quote", *quoting)
    assert refused.returncode == 1
    assert "columns of the task that mine.csv does not have: 'age'" in refused.stderr

    anna.start("quote", *quoting, "--column-name", "years=age")
    awaited(
        "a quote", lambda: any(one.state >= DealState.QUOTED for one in session().sales.values())
    )
    go_to(node, session().books[bytes.fromhex(order[2:])].opened + 1_800)
    over = carol.told("over")
    assert over["bought"] == 1
    assert float(over["accuracy_after"].rstrip("%")) > float(over["accuracy_before"].rstrip("%"))
    assert anna.told("over")["sold"]
    assert carol.ended() == anna.ended() == 0

    bought = tmp_path / "bought"
    exported(carol, order, tmp_path)
    (folder,) = bought.iterdir()
    with mine.open(newline="") as file:
        sold = sorted(
            (row["income"], row["years"], row["education"]) for row in csv.DictReader(file)
        )
    with (folder / "records.csv").open(newline="") as file:
        rows = sorted((row["label"], row["age"], row["education"]) for row in csv.DictReader(file))
    assert [(a, f"{float(b):.1f}", c) for a, b, c in rows] == sold
