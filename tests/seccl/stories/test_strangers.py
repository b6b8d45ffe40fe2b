"""A server and three members, strangers to each other, end as the one-process rehearsal does.

The server is gone for good in the second round, after it signed: members convict it, and go on.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import ape
import click
import pytest
import torch

from offchain.data.datasets import load_dataset
from offchain.data.imageset import ImageSet, split
from offchain.seccl.choose import EnginePicker
from offchain.seccl.messages import MessageKind
from offchain.seccl.partition import divided
from offchain.storage import Network, open_datastore
from scripts._market.mechanisms import run_export
from scripts._seccl.audit import audit_session
from scripts._seccl.chain import FederationChain
from scripts._seccl.options import FederateOptions
from scripts._seccl.party_options import VALIDATION
from scripts._seccl.play import federate
from scripts._stage.chain import HOME
from scripts._stage.party import ExportOptions
from scripts.federate import cli
from tests.kit.node import quiet_node
from tests.kit.options import options_of
from tests.kit.shared_chain import browsed, reading, shared_chain, watched
from tests.kit.strangers import (
    Stranger,
    awaited,
    fees,
    gained,
    go_to,
    mapping,
    refused_by_name,
    spelled,
    strangers,
)

UPLOAD, EVALUATION = MessageKind.UPLOAD, MessageKind.EVALUATION
LICENCE = "CC-BY-4.0"
MEMBERS = ("anna", "bert", "cleo")
SIZES = (200, 200, 40)
"""Images of each, in the order of their addresses: who has many is elected."""
TERMS = {
    "--rounds": "2",
    "--lambda": "0.67",
    "--least-members": "3",
    "--most-members": "3",
    "--stake": "0.1 ether",
    "--apply-hours": "1",
    "--hours": "0.7",
    "--batch": "8",
    "--epochs": "4",
    "--licence": LICENCE,
}


MAPPING = mapping(range(10))


def data() -> tuple[ImageSet, list[ImageSet]]:
    """The server's test pictures, and each member's, as their folders have them."""
    digits = load_dataset("digits", limit=600)
    test, *parts, _ = split(digits, [100, *SIZES, 600 - 100 - sum(SIZES)], 3)
    return test, [part.subset(torch.argsort(part.labels, stable=True)) for part in parts]


@pytest.fixture
def rehearsed(project, monkeypatch, tmp_path) -> tuple[str, list[int]]:
    """The model's digest, and what server and members gain, where one process plays all of them,
    with the same data in the same engine."""
    test, parts = data()
    coloured = [rgb(part) for part in parts]
    options = options_of(
        cli,
        FederateOptions,
        participants=3,
        rounds=2,
        winners=0.67,
        batch=8,
        epochs=4,
        hours=0.7,
        lie="stalls",
        lie_round=1,
        licence=LICENCE,
    )
    held = [divided(part, VALIDATION, options.seed) for part in coloured]
    monkeypatch.setattr(FederateOptions, "data", lambda *_: (held, rgb(test)))
    picked = EnginePicker.__init__

    def plain(self, rounds):
        picked(self, rounds)
        self.name = "loop"

    monkeypatch.setattr(EnginePicker, "__init__", plain)
    with quiet_node():
        _, server, *members = ape.accounts.test_accounts[:5]
        accounts = [server, *sorted(members, key=lambda one: int(one.address, 16))]
        before = [one.balance for one in accounts]
        federate(options, tmp_path / "reports", tmp_path / "kept", None, None)
        uri = ape.chain.provider.uri
        gains = [
            one.balance - was + fees(uri, str(one.address))
            for one, was in zip(accounts, before, strict=True)
        ]
    record = json.loads((tmp_path / "reports" / "federate" / "record.json").read_text())
    return record["rounds"][-1]["digest"], gains


def rgb(images: ImageSet) -> ImageSet:
    """As a folder of pictures is read."""
    three = images.images.expand(-1, 3, -1, -1).contiguous()
    return ImageSet(three, images.labels, images.classes, images.name)


@pytest.fixture
def node(rehearsed, project, monkeypatch, tmp_path) -> Iterator[str]:
    """A chain whose blocks come by themselves, with the contracts on it."""
    with shared_chain(tmp_path, monkeypatch, "BulletinBoard", "BordaConsensusFactory") as uri:
        yield uri


@pytest.fixture
def parties(node, tmp_path) -> Iterator[tuple[Stranger, ...]]:
    """Sam serves; members in the order of their addresses, of whom the first calls its classes
    otherwise."""
    test, parts = data()
    with strangers(tmp_path, node, "sam", *MEMBERS) as found:
        sam, *members = found
        members.sort(key=lambda one: int(one.address, 16))
        sam.own(test)
        for i, (one, part) in enumerate(zip(members, parts, strict=True)):
            one.own(part, spelled if i == 0 else str)
        yield sam, *members


def test_strangers_end_as_the_rehearsal_does(
    rehearsed, node, parties, partys_daemon, tmp_path, monkeypatch, capsys
) -> None:
    sam, first, second, third = parties
    offer = [
        *sam.arguments("--dataset", str(sam.pictures)),
        *(word for pair in TERMS.items() for word in pair),
    ]
    sam.start("serve", *offer)
    peer = sam.told("datastore")["peer"]
    announced = sam.told("announced")["id"]
    joining = {
        one.name: [
            announced,
            *one.arguments("--dataset", str(one.pictures)),
            *("--peer", peer),
        ]
        for one in parties[1:]
    }
    joining[second.name] += ["--ipfs", partys_daemon]
    refused_by_name(first, "join", joining[first.name], "0 - digit", "1 - digit")
    joining[first.name] += MAPPING
    for one in parties[1:]:
        one.start("join", *joining[one.name])
    session = sam.told("session")["id"]
    for one in parties[1:]:
        assert one.told("session")["id"] == session
    with open_datastore(None, tmp_path / "observer", Network(peers=(peer,))) as store:
        chain = FederationChain.find(session, store)
        terms = chain.session.terms
        for kind in MessageKind:
            go_to(node, terms.window(0, kind)[0])
            awaited(f"{kind.name} on the board", partial(posted, chain, (0, kind)))
        awaited("the end of round 0", partial(closed, chain, 0))

        # One member is away when the server takes the others' updates, and is gone itself then.
        third.kill()
        start, end = terms.window(1, UPLOAD)
        go_to(node, start)
        for one in (first, second):
            one.told("receipt", round=1)
        sam.kill()
        third.start("join", *joining[third.name])
        third.told("taking_part")
        go_to(node, (start + end) // 2)
        awaited("a conviction", lambda: chain.refresh().fault)
        awaited("all uploads", partial(all_posted, chain, UPLOAD))
        go_to(node, end)
        awaited("the end of round 1", partial(closed, chain, 1))
        awaited(
            "all evaluations", lambda: len(chain.refresh().posted(1, EVALUATION, own=True)) == 3
        )
        store.connect([one.told("datastore")["peer"] for one in parties[1:]])
        found = audit_session(chain, store)
        go_to(node, terms.end)
        ends = [one.told("over") for one in parties[1:]]
    assert [one.ended() for one in parties[1:]] == [0] * 3
    model, gains = rehearsed
    assert {one["model"] for one in ends} == {found.digests[-1]} == {model}
    assert found.faults == []
    assert [one["elected"] for one in ends] == [2, 2, 0]
    assert [gained(node, one.address) for one in parties] == gains
    tells(session, announced, peer, first, tmp_path, monkeypatch, capsys)
    exported(session, model, first, tmp_path, monkeypatch)
    assert gains == [-3 * 10**17, 10**17, 10**17, 10**17]


def posted(chain: FederationChain, place: tuple[int, MessageKind]) -> bool:
    return place in chain.refresh().batches


def closed(chain: FederationChain, round_: int) -> bool:
    return round_ in chain.refresh().closed


def all_posted(chain: FederationChain, kind: MessageKind) -> bool:
    return len(chain.refresh().posted(1, kind, own=True)) == 3


def tells(
    session: str,
    announced: str,
    peer: str,
    member: Stranger,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The federation is found by its classes and licence, and what happened in it is told."""
    monkeypatch.setenv(HOME, str(member.folder / "souk"))
    wanted = {"classes": ("3",), "licence": "cc-by-4.0"}
    (line,) = browsed(capsys, reading(folder), **wanted)
    assert (line["mechanism"], line["address"]) == ("seccl", announced)
    assert peer in line["contact"]
    for reference in (session, announced):
        told = watched(capsys, reference, folder)
        names = [one["event"] for one in told]
        assert names.count("round_closed") == 2
        assert names.count("share_claimed") == 3
        assert told[-1] == {
            "event": "over",
            "rounds_closed": 2,
            "convicted": "posted nothing in time",
            "stake_back": False,
        }
    again = member.run("withdraw", session, *member.arguments())
    assert again.returncode == 1
    assert f"owes nothing to {member.address}" in again.stderr


def exported(
    session: str, model: str, member: Stranger, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is a file without code, bound to the session; another one is told from it."""
    monkeypatch.setenv(HOME, str(member.folder / "souk"))
    options = ExportOptions(
        out=folder / "model",
        check=False,
        **reading(folder, as_json=False),
    )
    run_export(session, options)
    proof = json.loads((options.out / "proof.json").read_text())
    assert (proof["session"], proof["licence"], proof["digests"][-1]) == (session, LICENCE, model)
    run_export(session, replace(options, check=True))
    for name, change, why in (
        ("proof.json", {"licence": "MIT"}, "is not the session's: licence"),
        ("proof.json", {"more": 1}, "is not the session's: more"),
        ("task.json", {}, "is not the session's task"),
    ):
        path, kept = options.out / name, (options.out / name).read_bytes()
        path.write_text(json.dumps({**json.loads(kept), **change}, indent=1))
        with pytest.raises(click.ClickException, match=why):
            run_export(session, replace(options, check=True))
        path.write_bytes(kept)
    with pytest.raises(click.ClickException, match="exists: name a folder that does not"):
        run_export(session, options)
    path = options.out / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + bytes([path.read_bytes()[-1] ^ 1]))
    with pytest.raises(click.ClickException, match="holds another model than session"):
        run_export(session, replace(options, check=True))
