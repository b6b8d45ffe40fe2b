"""SUM's part of `ape run export`: a model's weights and vocabulary as files, with their proof."""

from __future__ import annotations

import json
from typing import Any

import ape
import click

from offchain.files import write_together
from offchain.storage import Network, cid_from_digest, cid_of
from offchain.sum.described import preprocessing_of
from offchain.sum.preprocessing import DOCUMENT
from offchain.task import Task
from scripts._stage.deployments import deployed
from scripts._stage.party import ExportOptions, PartyTelling
from scripts._stage.reading import reading_store
from scripts._sum.model import ModelOnChain
from scripts._sum.parts import FACTORY
from scripts._sum.teaching import described

FORMAT = "souk.model.v1"
PROOF, TASK, WORDS, WEIGHTS = "proof.json", "task.json", "preprocessing.json", "weights.json"


def run_export(address: str, options: ExportOptions) -> None:
    """Writes what the model is at this block, or compares such a folder with the chain.

    Raises ClickException where the folder is not what the chain had.
    """
    telling = PartyTelling(as_json=options.as_json)
    model = ModelOnChain.resume(deployed(FACTORY, options.deployments), address)
    if not options.check:
        network = Network(options.listen, options.peer)
        with (
            telling.doing("fetching the task"),
            reading_store(options.ipfs, network) as store,
        ):
            task, preprocessing = described(model, store)
        block = ape.chain.blocks.head
        content = {
            TASK: task.to_bytes(),
            WORDS: preprocessing.to_bytes(),
            WEIGHTS: _json(_weights(model, int(block.number))),
            PROOF: _json(_proof(model, int(block.number), task)),
        }
        write_together(options.out, content)
    block_number = _check(model, options)
    telling.event(
        "checked" if options.check else "exported",
        folder=str(options.out),
        model=model.address,
        block=block_number,
    )


def _check(model: ModelOnChain, options: ExportOptions) -> int:
    """The block of a folder that holds what the chain had then."""
    try:
        proof, weights = (json.loads((options.out / name).read_text()) for name in (PROOF, WEIGHTS))
        task = Task.from_bytes((options.out / TASK).read_bytes())
        preprocessing = preprocessing_of(task, (options.out / WORDS).read_bytes())
        block = int(proof["block"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.ClickException(
            f"{options.out} holds no model that can be read: {error!r}"
        ) from error
    if block > ape.chain.blocks.height:
        raise click.ClickException(f"{options.out} is of block {block}, which is not there yet")
    wanted = {PROOF: _proof(model, block, task), WEIGHTS: _weights(model, block)}
    for name, found in ((PROOF, proof), (WEIGHTS, weights)):
        if found != wanted[name]:
            raise click.ClickException(
                f"{options.out}: {name} is not what {model.address} was at block {block}"
            )
    if cid_from_digest(model.terms.task) != cid_of(task.to_bytes()):
        raise click.ClickException(f"{options.out}: {TASK} is not the model's")
    if task.document(DOCUMENT) != cid_of(preprocessing.to_bytes()):
        raise click.ClickException(f"{options.out}: {WORDS} is not the task's")
    return block


def _weights(model: ModelOnChain, block: int) -> dict[str, Any]:
    features, most, classes = model.shape
    return {
        "classifier": model.kind,
        "features": features,
        "most_active": most,
        "classes": classes,
        "words": [hex(one) for one in model.twin(block).words()],
    }


def _proof(model: ModelOnChain, block: int, task: Task) -> dict[str, Any]:
    """What ties the files to the chain."""
    return {
        "format": FORMAT,
        "chain_id": int(ape.chain.chain_id),
        "model": model.address,
        "classifier": str(model.classifier.address),
        "owner": model.terms.owner,
        "task": cid_from_digest(model.terms.task),
        "preprocessing": task.document(DOCUMENT),
        "licence": task.licence,
        "classes": list(task.classes),
        "block": block,
        "block_hash": "0x" + bytes(ape.chain.blocks[block].hash).hex(),
    }


def _json(value: dict[str, Any]) -> bytes:
    return (json.dumps(value, indent=2) + "\n").encode()
