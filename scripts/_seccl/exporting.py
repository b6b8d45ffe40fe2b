"""`ape run export`: the model that a session trained, as a file without code, with its proof."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from offchain.files import write_together
from offchain.seccl.audit import Findings, FirstModel
from offchain.seccl.parameters import Layout, model_digest
from offchain.storage import Network, cid_from_digest
from offchain.task import Task, fetch_task
from scripts._seccl.audit import audit_session
from scripts._seccl.chain import FederationChain
from scripts._seccl.finding import Contracts
from scripts._seccl.on_chain import session_named
from scripts._stage.exported import PROOF, TASK
from scripts._stage.party import ExportOptions, PartyTelling
from scripts._stage.reading import reading_store

FORMAT = "souk.seccl.model.v1"
MODEL = "model.safetensors"
FAULTS = "faults"


def run_export(reference: str, options: ExportOptions) -> None:
    """Writes the global model after the last closed round, computed again from the chain and the
    datastore, reads it back and compares it, with its proof and its task.

    Raises ClickException where the folder holds another model, or is there before it is written;
    AuditError, ModelError for a model that somebody wrote, whose code is not run.
    """
    telling = PartyTelling(as_json=options.as_json)
    if options.out.exists() and not options.check:
        raise click.ClickException(f"{options.out} exists: name a folder that does not")
    contracts = Contracts.on(options.deployments)
    id_ = session_named(contracts, reference).id
    network = Network(options.listen, options.peer)
    with reading_store(options.ipfs, network) as store:
        chain = FederationChain.find("0x" + id_.hex(), store, board=contracts.board)
        with telling.doing("computing the model again") as progress:
            findings = audit_session(chain, store, progress)
        task = fetch_task(store, bytes.fromhex(chain.session.description.task))
    layout = FirstModel(chain.session).layout
    facts = _facts(chain, findings, task)
    if not options.check:
        views = layout.views(findings.models[-1].cpu())
        proof = {**facts, FAULTS: findings.faults}
        content = {
            MODEL: save({name: view.contiguous() for name, view in views.items()}),
            TASK: task.to_bytes(),
            PROOF: (json.dumps(proof, indent=2) + "\n").encode(),
        }
        write_together(options.out, content)
    _check_documents(options.out, facts, task)
    found = model_digest(layout, read_model(options.out / MODEL, layout))
    if found != findings.digests[-1]:
        raise click.ClickException(
            f"{options.out} holds another model than session 0x{id_.hex()} trained: its digest is "
            f"{found}, the session's {findings.digests[-1]}"
        )
    telling.event(
        "checked" if options.check else "exported",
        folder=str(options.out),
        rounds=len(findings.results),
        model=found,
    )


def read_model(path: Path, layout: Layout) -> torch.Tensor:
    """The parameters in a file, float32 (P,). Raises ClickException where it has others."""
    try:
        named = load_file(path)
    except (OSError, SafetensorError) as error:
        raise click.ClickException(f"{path} is no model: {error}") from error
    shapes = dict(zip(layout.names, layout.shapes, strict=True))
    there = {name: tuple(tensor.shape) for name, tensor in named.items()}
    if there != shapes or any(one.dtype != torch.float32 for one in named.values()):
        raise click.ClickException(f"{path} has other parameters than the session's model")
    return torch.cat([named[name].flatten() for name in layout.names])


def _check_documents(folder: Path, facts: Mapping[str, Any], task: Task) -> None:
    """Raises ClickException where proof or task are not the session's."""
    try:
        proof = dict(json.loads((folder / PROOF).read_text()))
        asked = (folder / TASK).read_bytes()
    except (OSError, ValueError, TypeError) as error:
        raise click.ClickException(f"{folder} has no proof that can be read: {error!r}") from error
    if asked != task.to_bytes():
        raise click.ClickException(f"{folder / TASK} is not the session's task")
    # What an audit finds hangs on what can be had that day, too.
    odd = [
        name
        for name in sorted((facts.keys() | proof.keys()) - {FAULTS})
        if proof.get(name) != facts.get(name)
    ]
    if odd:
        raise click.ClickException(f"{folder / PROOF} is not the session's: {', '.join(odd)}")


def _facts(chain: FederationChain, findings: Findings, task: Task) -> dict[str, Any]:
    """What ties the file to the session, as JSON has it: for people, and for who compares."""
    session, about = chain.session, chain.session.description
    return {
        "format": FORMAT,
        "chain_id": session.board.chain_id,
        "board": session.board.address,
        "consensus": str(chain.consensus.address),
        "session": "0x" + session.id.hex(),
        "server": session.terms.server,
        "members": list(about.members),
        "licence": task.licence,
        "task": cid_from_digest(bytes.fromhex(about.task)),
        "network": about.network,
        "shape": list(about.shape),
        "classes": list(task.classes),
        "rounds": session.terms.rounds,
        "last_round": len(findings.results) - 1,
        "elected": [list(result.winners) for result in findings.results],
        "digests": list(findings.digests),
    }
