"""`ape run export`: the model that a session trained, as a file without code, with its proof."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save

from offchain.files import write_whole
from offchain.seccl.audit import Findings, FirstModel
from offchain.seccl.parameters import Layout, model_digest
from offchain.storage import Network, cid_from_digest, open_datastore
from offchain.task import fetch_task
from scripts._seccl.audit import audit_session
from scripts._seccl.chain import FederationChain
from scripts._seccl.finding import Contracts
from scripts._seccl.on_chain import session_named
from scripts._stage.chain import chain_home
from scripts._stage.exported import PROOF, TASK
from scripts._stage.party import ExportOptions, PartyTelling

FORMAT = "souk.seccl.model.v1"
MODEL = "model.safetensors"


def run_export(reference: str, options: ExportOptions) -> None:
    """Writes the global model after the last closed round, computed again from the chain and the
    datastore, reads it back and compares its digest.

    Raises ClickException where the folder holds another model, AuditError, ModelError for a model
    that somebody wrote, whose code is not run.
    """
    telling = PartyTelling(as_json=options.as_json)
    contracts = Contracts.on(options.deployments)
    id_ = session_named(contracts, reference).id
    network = Network(options.listen, options.peer)
    with open_datastore(options.ipfs, chain_home() / "ipfs", network) as store:
        chain = FederationChain.find("0x" + id_.hex(), store, board=contracts.board)
        with telling.doing("computing the model again") as progress:
            findings = audit_session(chain, store, progress)
        task = fetch_task(store, bytes.fromhex(chain.session.description.task))
    layout = FirstModel(chain.session).layout
    if not options.check:
        if options.out.exists():
            raise click.ClickException(f"{options.out} exists: name a folder that does not")
        views = layout.views(findings.models[-1].cpu())
        content = save({name: view.contiguous() for name, view in views.items()})
        write_whole(options.out / MODEL, content)
        write_whole(options.out / TASK, task.to_bytes())
        proof = _proof(chain, findings, task.licence, task.classes)
        write_whole(options.out / PROOF, (json.dumps(proof, indent=2) + "\n").encode())
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


def _proof(
    chain: FederationChain, findings: Findings, licence: str, classes: tuple[str, ...]
) -> dict[str, Any]:
    """What ties the file to the session: for people, and for who compares."""
    session, about = chain.session, chain.session.description
    return {
        "format": FORMAT,
        "chain_id": session.board.chain_id,
        "board": session.board.address,
        "consensus": str(chain.consensus.address),
        "session": "0x" + session.id.hex(),
        "server": session.terms.server,
        "members": list(about.members),
        "licence": licence,
        "task": cid_from_digest(bytes.fromhex(about.task)),
        "network": about.network,
        "shape": list(about.shape),
        "classes": list(classes),
        "rounds": session.terms.rounds,
        "last_round": len(findings.results) - 1,
        "elected": [list(result.winners) for result in findings.results],
        "digests": findings.digests,
        "faults": findings.faults,
    }
