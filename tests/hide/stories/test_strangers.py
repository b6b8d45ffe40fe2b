"""A seller of levels and a buyer, strangers to each other, end as the rehearsal does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import pytest

from offchain.data.imageset import ImageSet
from offchain.hide.making import Plan
from offchain.hide.sale import events as ev
from offchain.hide.sale.session import SaleSession
from scripts._hide.chain import SALE, SaleChain
from scripts._hide.mask_report import Masked
from scripts._hide.workshop import load_split
from scripts._market import mechanisms
from scripts._stage import exported as exported_module
from scripts._stage.chain import HOME
from scripts._stage.deployments import deployed
from scripts._stage.money import balance_of
from scripts._stage.party import ExportOptions
from tests.hide.stories.sold import play, small_options, unmeasured
from tests.kit.shared_chain import browsed, forged_digest, reading, shared_chain, watched
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

LICENCE = "CC-BY-4.0"
PRICES = "0.1 ether,0.3 ether,0.8 ether"
WINDOW = 600
SELLING = {
    "--prices": PRICES,
    "--stake": "0.2 ether",
    "--sales": "1",
    "--window-minutes": "10",
    "--hours": "2",
    "--licence": LICENCE,
}


MAPPING = mapping(range(10))


@pytest.fixture
def rehearsed(project, tmp_path) -> dict[str, int]:
    """What each party gains where one process plays all of them, with the same levels."""
    sold = play("honest", tmp_path / "rehearsal", buyers="1+3")
    assert sold.wrong == []
    return sold.gains


@pytest.fixture
def node(rehearsed, project, monkeypatch, tmp_path) -> Iterator[str]:
    """A chain whose blocks come by themselves, with the sale on it."""
    with shared_chain(tmp_path, monkeypatch, SALE) as uri:
        yield uri


@pytest.fixture
def parties(node, tmp_path) -> Iterator[tuple[Stranger, ...]]:
    """Sara has masked pictures, Anna clean ones to try a level on, which she calls otherwise."""
    options = small_options(tmp_path)
    with strangers(tmp_path, node, "sara", "anna") as found:
        sara, anna = found
        test = masked(options, sara.folder / "masked")
        anna.own(test, spelled)
        yield found


def masked(options: Any, folder: Path) -> ImageSet:
    """Writes what `ape run hide` writes, with random masks; gives the clean test pictures."""
    split = load_split(
        "digits", options.images, options.test, 0, None, False, None, False, print, None
    )
    plan: Plan = options.plan()
    said = asdict(options) | {"check": options.check}
    made = Masked.of(unmeasured(split, plan), split, (), options.check, said)
    folder.mkdir()
    made.write(folder, lambda done, total: None)
    return split.test


def chain_of(listing: str, folder: Path) -> SaleChain:
    return SaleChain.resume(deployed(SALE, folder / "deployments"), listing)


def read(listing: str, folder: Path) -> SaleSession:
    return chain_of(listing, folder).read()


def reached(listing: str, folder: Path, kind: type, count: int = 1) -> None:
    """Waits for so many events of a kind."""

    def look() -> bool:
        try:
            events = chain_of(listing, folder).events()
        except click.ClickException:
            return False
        return sum(isinstance(one, kind) for one in events) >= count

    awaited(f"{count} {kind.__name__}", look)


def test_strangers_end_as_the_rehearsal_does(
    rehearsed, node, parties, partys_daemon, tmp_path, monkeypatch, capsys
) -> None:
    """Both are killed, the seller while a key is due, the buyer before she goes on to a better
    level; the seller stores in a daemon, and nothing but chain and datastores is common to them."""
    sara, anna = parties
    selling = [
        *sara.arguments(),
        *("--masked", str(sara.folder / "masked"), "--ipfs", partys_daemon),
        *(word for pair in SELLING.items() for word in pair),
    ]
    sara.start("list", *selling)
    listing = sara.told("listing")["id"]
    reached(listing, tmp_path, ev.Listed)
    peer = sara.told("datastore")["peer"]
    buying = [listing, "--peer", peer, "--licence", LICENCE]
    trying = ["--test", str(anna.pictures), "--epochs", "1"]
    own = anna.arguments()

    refused_by_name(anna, "buy", [*buying, "--level", "1", *trying, *own], "0 - digit", "1 - digit")

    anna.start("buy", *buying, "--level", "1", *own)
    reached(listing, tmp_path, ev.Bought)
    sara.kill()
    sara.start("list", *selling)
    assert sara.told("listing")["id"] == listing
    assert anna.told("delivered")["level"] == 1

    # A better level is paid for before the time for disputes is over, by the same buyer.
    anna.kill()
    anna.start("buy", *buying, "--level", "3", *trying, *MAPPING, *own)
    assert anna.told("delivered", level=3)
    go_to(node, max(one.deadline for one in read(listing, tmp_path).purchases.values()))
    over = anna.told("over")
    assert (over["bought"], over["level"], over["images"]) == (True, 3, 60)
    assert 0 <= over["reached"] <= 1
    reached(listing, tmp_path, ev.Settled, 2)
    go_to(node, 2 * 3600 + read(listing, tmp_path).purchases[anna.address].deadline)
    assert sara.told("over")["buyers"] == 1
    assert [anna.ended(), sara.ended()] == [0, 0]

    session = read(listing, tmp_path)
    assert (session.closed, session.funds) == (True, 0)
    assert balance_of(session.listed.token, chain_of(listing, tmp_path).address) == 0
    gains = [gained(node, one.address) for one in parties]
    assert gains == [rehearsed[one] for one in ("seller", "buyer 1")]
    exported(listing, anna, over["sha256"], tmp_path, monkeypatch)
    found(listing, peer, anna, tmp_path, monkeypatch, capsys)


def exported(
    listing: str, anna: Stranger, digest: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was bought is pictures by class, and bound to what was listed."""
    monkeypatch.setenv(HOME, str(anna.folder / "souk"))
    options = ExportOptions(
        out=folder / "bought",
        check=False,
        **reading(folder, as_json=False),
    )
    mechanisms.run_export(listing, options)
    proof = json.loads((options.out / "proof.json").read_text())
    assert (proof["listing"], proof["licence"], proof["sha256"]) == (listing, LICENCE, digest)
    assert (proof["level"], proof["buyer"], proof["key"]) == (3, anna.address, None)
    mechanisms.run_export(listing, replace(options, check=True))
    forged = proof | {"licence": "CC0-1.0", "price": "0"}
    (options.out / "proof.json").write_text(json.dumps(forged))
    with pytest.raises(click.ClickException, match=r"not what was sold: licence, price"):
        mechanisms.run_export(listing, replace(options, check=True))
    (options.out / "proof.json").write_text(json.dumps(proof))
    one, *_ = sorted((options.out / "3").glob("*.png"))
    shutil.move(one, options.out / "4" / one.name)
    check = partial(mechanisms.run_export, listing, replace(options, check=True))
    proof["sha256"] = forged_digest(monkeypatch, exported_module, check)
    (options.out / "proof.json").write_text(json.dumps(proof))
    with pytest.raises(click.ClickException, match="is not level 3 of 0x"):
        check()


def found(
    listing: str,
    peer: str,
    anna: Stranger,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The listing is found by its classes and licence, and what happened in it is told."""
    monkeypatch.setenv(HOME, str(anna.folder / "souk"))
    wanted = {"classes": ("3",), "licence": "cc-by-4.0"}
    (line,) = browsed(capsys, reading(folder), **wanted)
    assert (line["event"], line["address"], line["joined"]) == ("open", listing, 1)
    assert peer in line["contact"]
    for other in ({"classes": ("cat",)}, {"licence": "MIT"}, {"all_": False}):
        assert browsed(capsys, reading(folder), **(wanted | other)) == []
    told = [one["event"] for one in watched(capsys, listing, folder)]
    assert (told.count("bought"), told.count("key_sealed")) == (2, 2)
    assert told[-1] == "over"
