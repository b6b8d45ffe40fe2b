"""An owner and two authors of a shared model, strangers to each other, end as in one process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import ape
import click
import pytest

from offchain.sum import events as ev
from offchain.sum.preprocessing import Preprocessing
from offchain.task import Task
from scripts._market import mechanisms
from scripts._stage.chain import HOME
from scripts._stage.deployments import deployed
from scripts._stage.money import balance_of
from scripts._stage.party import ExportOptions, WithdrawOptions
from scripts._sum.model import ModelOnChain
from scripts._sum.parts import FACTORY
from scripts._sum.party_options import PredictOptions, ReportOptions
from scripts._sum.predicting import run_predict
from scripts._sum.teaching import run_report, run_teach
from tests.kit.shared_chain import browsed, reading, shared_chain, watched
from tests.kit.strangers import Stranger, awaited, gained, go_to, refused_by_name, strangers
from tests.sum.stories.made_texts import (
    LICENCE,
    LIE,
    MAPPING,
    TERMS,
    TRAINING,
    TRUE,
    on_command_line,
    teach_options,
    write_csv,
)
from tests.sum.stories.rehearsal import Rehearsal


@pytest.fixture
def rehearsed(project, tmp_path, accounts) -> dict[str, int]:
    """What each author gains where one process plays both, with the same texts."""
    folder = tmp_path / "rehearsal"
    rehearsal = Rehearsal(folder, accounts[1])
    true, lie = write_csv(folder / "true.csv", TRUE), write_csv(folder / "lie.csv", LIE)
    return rehearsal.play(
        rehearsal.seat("anna", accounts[2], teach_options(folder, true, class_name=MAPPING)),
        rehearsal.seat("bert", accounts[3], teach_options(folder, lie)),
    )


@pytest.fixture
def node(rehearsed, project, monkeypatch, tmp_path) -> Iterator[str]:
    """A chain whose blocks come by themselves, with the factory on it."""
    with shared_chain(tmp_path, monkeypatch, FACTORY) as uri:
        yield uri


@pytest.fixture
def parties(node, tmp_path) -> Iterator[tuple[Stranger, ...]]:
    """Olga has a first model, Anna the truth, by other names, Bert a lie."""
    with strangers(tmp_path, node, "olga", "anna", "bert") as found:
        for one, rows in zip(found, (TRAINING, TRUE, LIE), strict=True):
            write_csv(one.folder / "texts.csv", rows)
        yield found


def read(address: str, folder: Path) -> ModelOnChain:
    return ModelOnChain.resume(deployed(FACTORY, folder / "deployments"), address)


def test_strangers_end_as_the_rehearsal_does(
    rehearsed, node, parties, partys_daemon, tmp_path, monkeypatch, capsys
) -> None:
    """One spells the classes differently, one has a daemon, and all are killed; nothing but chain
    and datastores is common to them."""
    olga, anna, bert = parties
    publishing = [
        *olga.arguments("--texts", str(olga.folder / "texts.csv")),
        *on_command_line(TERMS),
    ]
    olga.start("publish", *publishing)
    olga.told("made")
    olga.kill()
    olga.start("publish", *publishing)
    peer = olga.told("datastore")["peer"]
    address = olga.told("model")["address"]
    teaching = {
        one.name: [
            address,
            *one.arguments("--texts", str(one.folder / "texts.csv")),
            *("--peer", peer, "--licence", LICENCE),
        ]
        for one in (anna, bert)
    }
    teaching["bert"] += ["--ipfs", partys_daemon]
    mapping = [word for one in MAPPING for word in ("--class-name", one)]

    refused_by_name(anna, "teach", teaching["anna"], "bad", "good")
    anna.start("teach", *teaching["anna"], *mapping)
    bert.start("teach", *teaching["bert"])
    model = read(address, tmp_path)

    def reached(kind: type, count: int) -> list[ev.Event]:
        def look() -> list[ev.Event]:
            found = [one for one, _ in model.events() if isinstance(one, kind)]
            return found if len(found) >= count else []

        return awaited(f"{count} {kind.__name__}", look)

    waits = model.terms.waits
    added = reached(ev.DataAdded, 4)
    bert.kill()
    anna.kill()
    anna.start("teach", *teaching["anna"], *mapping)
    assert anna.told("model") == {
        "event": "model",
        "address": address,
        "lessons": 3,
        "begun": True,
    }
    go_to(node, added[-1].added_at + waits.refund)
    reached(ev.Announced, 3)
    go_to(node, ape.chain.blocks.head.timestamp + waits.verdict)
    reached(ev.Refunded, 3)
    go_to(node, added[-1].added_at + waits.refund + waits.author)
    reached(ev.Announced, 4)
    go_to(node, ape.chain.blocks.head.timestamp + waits.verdict)
    reached(ev.Reported, 1)
    go_to(node, model.read().shares_from)
    assert anna.ended() == 0
    assert anna.told("over")["good"] == 3
    bert.start("teach", *teaching["bert"])
    assert bert.ended() == 0

    assert [gained(node, one.address) for one in (anna, bert)] == [
        rehearsed["anna"],
        rehearsed["bert"],
    ]
    assert balance_of(model.terms.token, address) == 0
    monkeypatch.setenv(HOME, str(tmp_path / "reader"))
    asked(address, peer, tmp_path, capsys)
    found(address, peer, olga, tmp_path, capsys)


def asked(address: str, peer: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Anybody asks the model, takes it along, and compares it with the chain."""
    texts = "so lovely", "awful, dull", "zebra"
    capsys.readouterr()
    run_predict(
        address, PredictOptions(text=texts, texts=None, table=None, **reading(folder, peer))
    )
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    assert [line["label"] for line in lines] == ["positive", "negative", None]

    options = ExportOptions(out=folder / "taken", check=False, **reading(folder, peer))
    checking = replace(options, check=True)
    mechanisms.run_export(address, options)
    mechanisms.run_export(address, checking)
    path = options.out / "weights.json"
    whole = {one.name: one.read_bytes() for one in options.out.iterdir()}
    weights = json.loads(path.read_text())
    weights["words"][0] = hex(int(weights["words"][0], 16) + 1)
    path.write_text(json.dumps(weights))
    with pytest.raises(click.ClickException, match=r"weights\.json is not what"):
        mechanisms.run_export(address, checking)

    path.write_bytes(whole["weights.json"])
    words = Preprocessing.from_bytes(whole["preprocessing.json"]).vocabulary
    (options.out / "preprocessing.json").write_bytes(Preprocessing(words[::-1]).to_bytes())
    with pytest.raises(click.ClickException, match=r"preprocessing\.json is not the task's"):
        mechanisms.run_export(address, checking)
    (options.out / "preprocessing.json").write_bytes(whole["preprocessing.json"])
    task = Task.from_bytes(whole["task.json"])
    (options.out / "task.json").write_bytes(replace(task, content="other").to_bytes())
    with pytest.raises(click.ClickException, match=r"task\.json is not the model's"):
        mechanisms.run_export(address, checking)

    said = {one: reading(folder, peer)[one] for one in ("deployments", "as_json")}
    nobody = {"account": "TEST::3", "yes": True, "pay_to": None}
    with pytest.raises(click.ClickException, match="owes nothing to"):
        mechanisms.run_withdraw(address, WithdrawOptions(**nobody, **said))
    teaching = teach_options(
        folder,
        write_csv(folder / "more.csv", LIE),
        account="TEST::3",
        dry_run=True,
        peer=(peer,),
        deployments=folder / "deployments",
    )
    capsys.readouterr()
    run_teach(address, teaching)
    said_last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said_last == {"event": "dry_run", "address": address, "lessons": 1, "accepted": True}
    report = ReportOptions(
        class_name=(), least_share=None, dry_run=False, **nobody, **reading(folder, peer)
    )
    with pytest.raises(click.ClickException, match="only who has some may report"):
        run_report(address, report)


def found(
    address: str,
    peer: str,
    olga: Stranger,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The model is found by its classes and licence, and what happened to it is told."""
    wanted = {"classes": ("positive",), "licence": "cc-by-4.0", "all_": False}
    (line,) = browsed(capsys, reading(folder, peer), ("sum",), **wanted)
    assert (line["mechanism"], line["address"], line["joined"]) == ("sum", address, 2)
    assert (line["author"], line["classes"]) == (olga.address, ["negative", "positive"])
    other = wanted | {"classes": ("cat",)}
    assert browsed(capsys, reading(folder, peer), ("sum",), **other) == []
    told = [one["event"] for one in watched(capsys, address, folder)]
    assert [told.count(one) for one in ("data_added", "refunded", "reported")] == [4, 3, 1]
