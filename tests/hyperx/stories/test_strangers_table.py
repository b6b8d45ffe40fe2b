"""A collector and a provider of a table, strangers to each other: columns and classes by name."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Iterator
from pathlib import Path

import ape
import pytest

from offchain.hyperx import events as ev
from scripts._hyperx.chain import ChainSession
from tests.kit.shared_chain import shared_chain
from tests.kit.strangers import Stranger, awaited, exported, go_to, strangers

LICENCE = "CC0-1.0"
TERMS = ("--shards", "20", "--shard-size", "5", "--sample", "40", "--deposit", "0.8 ether")
TERMS += ("--penalty", "50", "--expect", "1", "--licence", LICENCE, "--label", "income")
COLUMNS = ("age", "education", *(f"answer {i}" for i in range(6)), "income")


def people(path: Path, count: int, seed: int, names: tuple[str, ...]) -> Path:
    """A census of so many people; one more column of each is its number."""
    draw = random.Random(seed)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "number"])
        for number in range(count):
            rich = draw.random() < 0.5
            education = draw.choice(["Masters", "Doctorate"] if rich else ["HS-grad", "11th"])
            age = "" if draw.random() < 0.05 else round(draw.gauss(50 if rich else 35, 8))
            answers = [round(draw.gauss(2 * rich - 1, 0.5), 2) for _ in range(6)]
            income = ">50K" if rich else "<=50K"
            writer.writerow([age, education, *answers, income, f"id {number}"])
    return path


@pytest.fixture
def node(project, monkeypatch, tmp_path) -> Iterator[str]:
    """A chain whose blocks come by themselves, with the factory on it."""
    with shared_chain(tmp_path, monkeypatch, "TradingSessionFactory") as uri:
        yield uri


@pytest.fixture
def parties(node, tmp_path) -> Iterator[tuple[Stranger, ...]]:
    """Carol, who collects, and Anna."""
    with strangers(tmp_path, node, "carol", "anna") as found:
        yield found


def test_a_table_is_bought_by_a_stranger_and_exported(node, parties, tmp_path) -> None:
    """Anna calls a column otherwise: until she says so she is refused, and nothing is paid."""
    carol, anna = parties
    own = people(tmp_path / "carol.csv", 200, 1, COLUMNS)
    sold = people(tmp_path / "anna.csv", 110, 2, ("years", *COLUMNS[1:]))
    carol.start("open", *carol.arguments("--dataset", str(own)), *TERMS)
    peer, address = carol.told("datastore")["peer"], carol.told("session")["address"]
    joining = [
        *(address, *anna.arguments("--dataset", str(sold), "--label", "income")),
        *("--peer", peer, "--licence", LICENCE),
    ]

    refused = anna.run("provide", *joining)
    assert refused.returncode == 1
    assert "columns of the task that anna.csv does not have: 'age'; it has years" in refused.stderr

    anna.start("provide", *joining, "--column-name", "years=age")
    chain = ChainSession(ape.project.TradingSession.at(address), 0)
    awaited(
        "features", lambda: any(isinstance(one, ev.FeaturesSubmitted) for one in chain.events())
    )
    go_to(node, chain.read().terms.submission_end)
    over = carol.told("over")
    assert (over["deal"], over["provider"]) == (True, anna.address)
    assert [carol.ended(), anna.ended()] == [0, 0]

    bought = tmp_path / "bought"
    exporting = exported(carol, address, tmp_path)
    with (bought / "records.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    with sold.open(newline="") as file:
        mine = {(row[8], *row[:8]) for row in csv.reader(file)}
    assert head == ["label", *COLUMNS[:-1]]
    assert len(rows) == 100
    assert set(map(tuple, rows)) <= mine
    assert json.loads((bought / "proof.json").read_text())["sha256"] == over["sha256"]

    text = (bought / "records.csv").read_text()
    (bought / "records.csv").write_text(text.replace("Masters", "11th", 1))
    changed = carol.run("export", address, *exporting, "--check")
    assert changed.returncode == 1
    assert "proof.json is not what was sold: sha256" in changed.stderr
