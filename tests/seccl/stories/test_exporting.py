"""What lies beside an exported model is the session's, or is refused by name."""

from __future__ import annotations

import json
from types import SimpleNamespace

import click
import pytest

from offchain.storage import cid_of, digest_of
from offchain.task import Task
from scripts._seccl import exporting
from scripts._stage.exported import PROOF, TASK

ASKED = Task("images", ("a", "b"), (1, 8, 8), "CC-BY-4.0")


@pytest.fixture
def facts() -> dict:
    about = SimpleNamespace(
        task=digest_of(cid_of(ASKED.to_bytes())).hex(),
        members=("0x1", "0x2", "0x3"),
        network="small",
        shape=(1, 8, 8),
    )
    session = SimpleNamespace(
        id=bytes(32),
        description=about,
        terms=SimpleNamespace(server="0x4", rounds=2),
        board=SimpleNamespace(chain_id=1, address="0x5"),
    )
    chain = SimpleNamespace(session=session, consensus=SimpleNamespace(address="0x6"))
    results = (SimpleNamespace(winners=(0, 2)), SimpleNamespace(winners=()))
    findings = SimpleNamespace(results=results, digests=("00", "11", "22"), faults=())
    return exporting._facts(chain, findings, ASKED)


@pytest.fixture
def folder(tmp_path, facts):
    (tmp_path / PROOF).write_text(json.dumps({**facts, "faults": ["round 0: nothing to read"]}))
    (tmp_path / TASK).write_bytes(ASKED.to_bytes())
    return tmp_path


def test_what_was_written_is_found_whatever_an_audit_finds_later(folder, facts) -> None:
    exporting._check_documents(folder, facts, ASKED)


@pytest.mark.parametrize("name", ["licence", "server", "elected", "digests", "more"])
def test_a_proof_that_says_something_else_is_refused(folder, facts, name: str) -> None:
    proof = json.loads((folder / PROOF).read_text())
    (folder / PROOF).write_text(json.dumps({**proof, name: "other"}))
    with pytest.raises(click.ClickException, match=f"is not the session's: {name}"):
        exporting._check_documents(folder, facts, ASKED)
    proof.pop(name, None)
    (folder / PROOF).write_text(json.dumps(proof if name != "more" else {}))
    with pytest.raises(click.ClickException, match="is not the session's: "):
        exporting._check_documents(folder, facts, ASKED)


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff"])
def test_what_is_no_proof_is_told(folder, facts, content: bytes) -> None:
    (folder / PROOF).write_bytes(content)
    with pytest.raises(click.ClickException, match="no proof that can be read"):
        exporting._check_documents(folder, facts, ASKED)


def test_another_task_is_refused(folder, facts) -> None:
    (folder / TASK).write_bytes(ASKED.to_bytes().replace(b"CC-BY-4.0", b"CC-BY-3.0"))
    with pytest.raises(click.ClickException, match="is not the session's task"):
        exporting._check_documents(folder, facts, ASKED)


def test_a_folder_that_is_there_is_refused_before_anything_is_computed(tmp_path) -> None:
    options = SimpleNamespace(out=tmp_path, check=False, as_json=True)
    with pytest.raises(click.ClickException, match="exists: name a folder that does not"):
        exporting.run_export("0x", options)
