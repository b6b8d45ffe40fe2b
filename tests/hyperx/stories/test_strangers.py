"""A collector and two providers, strangers to each other, end as the one-process rehearsal does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import ape
import click
import pytest
from eth_account import Account

from offchain.data.files_folder import FilesFolder
from offchain.data.shards import Shard
from offchain.hyperx import events as ev
from offchain.hyperx.session import Session
from scripts._hyperx import exporting
from scripts._hyperx.chain import ChainSession
from scripts._market import mechanisms
from scripts._stage.chain import HOME
from scripts._stage.money import balance_of
from scripts._stage.party import ExportOptions
from tests.hyperx.stories.played import play_story, small_options
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

PLAN = "clean,mislabel:0.6"
LICENCE = "CC-BY-4.0"
TERMS = {
    "--shards": "20",
    "--shard-size": "5",
    "--sample": "40",
    "--deposit": "0.8 ether",
    "--penalty": "50",
    "--expect": "2",
    "--licence": LICENCE,
}


MAPPING = mapping(range(10))


@pytest.fixture
def rehearsed(project, tmp_path) -> dict[str, int]:
    """What each party gains where one process plays all of them, with the same data."""
    story = play_story("honest", tmp_path / "rehearsal", plan=PLAN)
    assert story.wrong == []
    return story.gains


@pytest.fixture
def node(rehearsed, project, monkeypatch, tmp_path) -> Iterator[str]:
    """A chain whose blocks come by themselves, with the factory on it.

    After the rehearsal, which would wait there as strangers do.
    """
    with shared_chain(tmp_path, monkeypatch, "TradingSessionFactory") as uri:
        yield uri


@pytest.fixture
def parties(node, tmp_path) -> Iterator[tuple[Stranger, ...]]:
    """Carol has validation pictures, Anna clean ones, called otherwise, Bert bad ones."""
    options = small_options(tmp_path, plan=PLAN)
    validation, (clean, bad), _ = options.data(options.corruption_plan(), print, None)
    with strangers(tmp_path, node, "carol", "anna", "bert") as found:
        carol, anna, bert = found
        carol.own(validation)
        anna.own(clean, spelled)
        bert.own(bad)
        yield found


def read(address: str) -> tuple[Session, list[ev.Event]]:
    """The session and its events so far."""
    chain = ChainSession(ape.project.TradingSession.at(address), 0)
    return chain.read(), chain.events()


def reached(address: str, kind: type, count: int = 1) -> None:
    """Waits for so many events of a kind."""
    awaited(
        f"{count} {kind.__name__}",
        lambda: sum(isinstance(one, kind) for one in read(address)[1]) >= count,
    )


def test_strangers_end_as_the_rehearsal_does(
    rehearsed, node, parties, partys_daemon, tmp_path, monkeypatch, capsys
) -> None:
    """One spells the classes differently, one is killed, and one, a bot that stores in a daemon and
    finds what to join, is stopped; nothing but chain and datastores is common to them."""
    carol, anna, bert = parties
    opening = [
        *carol.arguments("--dataset", str(carol.pictures)),
        *(word for pair in TERMS.items() for word in pair),
    ]
    carol.start("open", *opening)
    peer = carol.told("datastore")["peer"]
    address = carol.told("session")["address"]
    joining = {
        one.name: [
            address,
            *one.arguments("--dataset", str(one.pictures)),
            *("--peer", peer, "--licence", LICENCE),
        ]
        for one in (anna, bert)
    }
    joining["bert"] += ["--ipfs", partys_daemon]

    refused_by_name(anna, "provide", joining["anna"], "0 - digit", "1 - digit")

    anna.start("provide", *joining["anna"], *MAPPING)
    wanted = f'{{class = ["3"], licence = "{LICENCE}", least-reward = "1 wei"}}'
    bert.start_bot("provide", *joining["bert"][1:], find=wanted)
    assert bert.told("found")["reference"] == address
    reached(address, ev.FeaturesSubmitted, 2)
    anna.kill()
    anna.start("provide", *joining["anna"], *MAPPING)
    assert anna.told("session") == {"event": "session", "address": address, "joined": True}

    go_to(node, read(address)[0].terms.submission_end)
    # Nothing is left for Bert to do but to fetch its deposit, which it does by another command.
    reached(address, ev.CandidateSet)
    bert.stop()
    over = carol.told("over")
    assert over["deal"]
    assert over["provider"] == anna.address
    assert [carol.ended(), anna.ended()] == [0, 0]
    assert anna.told("over")["sold"]

    purse = Account.from_key(b"\1" * 32).address
    own = bert.arguments()
    taken = bert.run("withdraw", address, "--pay-to", purse, *own)
    assert taken.returncode == 0, taken.stderr
    again = bert.run("withdraw", address, *own)
    assert again.returncode == 1
    assert "owes nothing to" in again.stderr

    terms = read(address)[0].terms
    assert balance_of(terms.token, purse) == terms.deposit
    assert balance_of(terms.token, address) == 0
    gains = [gained(node, one.address) for one in parties]
    gains[-1] += balance_of(terms.token, purse)
    assert gains == [rehearsed[one] for one in ("collector", "provider 1", "provider 2")]
    exported(address, carol, anna, over["sha256"], tmp_path, monkeypatch)
    found(address, peer, carol, tmp_path, monkeypatch, capsys)


def stopping(shards: int) -> Callable[[FilesFolder, Shard], None]:
    """Writes so many shards, and is stopped."""
    add = FilesFolder.add

    def stopped(folder: FilesFolder, shard: Shard) -> None:
        if folder.done == shards:
            raise KeyboardInterrupt
        add(folder, shard)

    return stopped


def exported(
    address: str,
    carol: Stranger,
    anna: Stranger,
    digest: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was bought is the seller's very files by class, and bound to what was registered.

    Who is stopped goes on with what is not there yet.
    """
    monkeypatch.setenv(HOME, str(carol.folder / "souk"))
    options = ExportOptions(
        out=folder / "bought",
        check=False,
        **reading(folder, as_json=False),
    )
    with monkeypatch.context() as patch:
        patch.setattr(FilesFolder, "add", stopping(7))
        with pytest.raises(KeyboardInterrupt):
            mechanisms.run_export(address, options)
    assert not options.out.exists()
    (begun,) = folder.glob(".bought.new")
    one, *_ = begun.rglob("*.png")
    before = one.stat().st_mtime_ns
    mechanisms.run_export(address, options)
    assert (options.out / one.relative_to(begun)).stat().st_mtime_ns == before
    own = {path.read_bytes() for path in anna.pictures.rglob("*.png")}
    bought = [path.read_bytes() for path in options.out.rglob("*.png")]
    assert len(bought) == 100
    assert own.issuperset(bought)
    proof = json.loads((options.out / "proof.json").read_text())
    assert (proof["session"], proof["licence"], proof["sha256"]) == (address, LICENCE, digest)
    classes = sorted(path.name for path in options.out.iterdir() if path.is_dir())
    assert classes == [str(digit) for digit in range(10)]
    mechanisms.run_export(address, replace(options, check=True))
    forged = proof | {"licence": "CC0-1.0", "reward": "0", "provider": "0x1"}
    (options.out / "proof.json").write_text(json.dumps(forged))
    with pytest.raises(click.ClickException, match="not what was sold: licence, provider, reward"):
        mechanisms.run_export(address, replace(options, check=True))
    (options.out / "proof.json").write_text(json.dumps(proof))
    one, *_ = sorted((options.out / "3").glob("*.png"))
    shutil.move(one, options.out / "4" / one.name)
    check = partial(mechanisms.run_export, address, replace(options, check=True))
    proof["sha256"] = forged_digest(monkeypatch, exporting, check)
    (options.out / "proof.json").write_text(json.dumps(proof))
    with pytest.raises(click.ClickException, match=r"is not what 0x\w+ sold in 0x"):
        check()


def found(
    address: str,
    peer: str,
    carol: Stranger,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The session is found by its classes and licence, and what happened in it is told."""
    monkeypatch.setenv(HOME, str(carol.folder / "souk"))
    wanted = {"classes": ("3",), "least_reward": "1 ether", "licence": "cc-by-4.0"}
    (line,) = browsed(capsys, reading(folder), **wanted)
    assert (line["event"], line["address"], line["joined"]) == ("open", address, 2)
    assert peer in line["contact"]
    for other in ({"classes": ("cat",)}, {"licence": "MIT"}, {"all_": False}):
        assert browsed(capsys, reading(folder), **(wanted | other)) == []
    told = [one["event"] for one in watched(capsys, address, folder)]
    assert told.count("registered") == told.count("features_submitted") == 2
    assert told[-1] == "over"
