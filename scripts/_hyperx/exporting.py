"""`ape run export`: a bought dataset as a folder of its files by class, with what proves it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from offchain.crypto.settlement import Settlement
from offchain.data.files_folder import FilesFolder, shards_in
from offchain.data.folder import folder_names
from offchain.data.form import IMAGES
from offchain.data.imageset import Progress
from offchain.data.records_file import RecordsFile, records_in
from offchain.data.shards import shard_digest, shards_digest
from offchain.hyperx import events as ev
from offchain.hyperx.purchase import Purchase, purchase, rebuilt_root, session_key
from offchain.hyperx.session import Session
from offchain.storage import Network, cid_from_digest
from offchain.task import Task, fetch_task
from offchain.task.forms import form_sold
from scripts._hyperx.chain import ChainSession, deployed_factory
from scripts._hyperx.seats import COLLECTOR_SECRETS
from scripts._stage.chain import chain_home, decoded, logs_of
from scripts._stage.exported import check_proof, read_documents, write_documents
from scripts._stage.party import ExportOptions, PartyTelling
from scripts._stage.reading import reading_store
from scripts._stage.secrets import secrets_at

FORMAT = "souk.purchase.v2"


def run_export(address: str, options: ExportOptions) -> None:
    """Writes what the session at `address` bought, reads it back and compares it with the chain.

    A shard at a time is held. The folder has its name once it is compared; who was killed goes on.
    Raises ClickException where the folder is not what was sold.
    """
    telling = PartyTelling(as_json=options.as_json)
    home = chain_home()
    factory = deployed_factory(options.deployments)
    chain = ChainSession.resume(factory.contract, factory.block, address)
    session = chain.read()
    key = session_key(session, secrets_at(home / COLLECTOR_SECRETS))
    if options.check:
        facts = _facts(chain, session, _provider(session))
        proof, task = read_documents(options.out, chain.terms.task)
        check_proof(options.out, proof, task, facts)
        digest, root = _read(options.out, chain, session, task, key, telling)
        check_proof(options.out, proof, task, {"sha256": digest})
        _check_root(options.out, chain, session, root)
    else:
        network = Network(options.listen, options.peer)
        with reading_store(options.ipfs, network) as store:
            task = fetch_task(store, chain.terms.task)
            bought = purchase(session, store, task, key)
            digest = _write(bought, chain, session, options.out, telling)
    telling.event(
        "exported" if not options.check else "checked",
        folder=str(options.out),
        samples=chain.terms.shard_count * chain.terms.shard_size,
        provider=_provider(session),
        sha256=digest,
    )


def _write(
    bought: Purchase, chain: ChainSession, session: Session, out: Path, telling: PartyTelling
) -> str:
    """Fetches, decrypts and writes what is not there yet, compares all, and names the folder.

    Returns the digest of the files.
    """
    task, proof = bought.task, _proof(chain, session, bought)
    about = json.dumps(proof, sort_keys=True).encode()
    folder = _folder(out, task, len(bought), about)
    with telling.doing("fetching, decrypting and writing the files") as progress:
        for _, shard in bought.shards(folder.done):
            folder.add(shard)
            progress(folder.done, len(bought.keys))
    digest, root = _read(folder.place, chain, session, task, bought.session_key, telling)
    try:
        _check_root(out, chain, session, root)
    except click.ClickException:
        folder.discard()  # the machine stopped, or somebody wrote there: the next run begins anew
        raise
    write_documents(folder.place, task, {**proof, "sha256": digest})
    folder.finish()
    return digest


def _read(
    folder: Path,
    chain: ChainSession,
    session: Session,
    task: Task,
    key: bytes,
    telling: PartyTelling,
) -> tuple[str, bytes]:
    """The digest of the files in a folder, and the root under which they would be registered.

    Raises DataError where the files are not as many.
    """
    terms, digests = chain.terms, []
    with telling.doing("comparing the files with what was registered") as progress:

        def shards() -> Iterator[bytes]:
            counts = terms.shard_count, terms.shard_size
            for shard in _shards(folder, task, *counts, progress):
                digests.append(shard_digest(shard))
                yield shard

        root = rebuilt_root(session, shards(), _provider(session), key)
    return shards_digest(digests), root


def _folder(out: Path, task: Task, samples: int, about: bytes) -> FilesFolder | RecordsFile:
    """Where what was bought is written to: files by class, or one file of records."""
    if task.modality == IMAGES:
        return FilesFolder(out, folder_names(task.classes), samples, about)
    names = [column.name for column in task.columns]
    return RecordsFile(out, task.classes, form_sold(task), names, about)


def _shards(folder: Path, task: Task, count: int, size: int, progress: Progress) -> Iterator[bytes]:
    """The plain shards that a folder was written from."""
    if task.modality == IMAGES:
        names = folder_names(task.classes)
        return shards_in(folder, names, task.classes, count, size, progress)
    return records_in(folder, task.classes, form_sold(task), count, size, progress)


def _check_root(folder: Path, chain: ChainSession, session: Session, root: bytes) -> None:
    provider = _provider(session)
    if root != session.member(provider).address_root:
        raise click.ClickException(
            f"{folder} is not what {provider} sold in {chain.address}: other files, labels or order"
        )


def _provider(session: Session) -> str:
    assert session.deal is not None
    return session.deal.provider


def _facts(chain: ChainSession, session: Session, provider: str) -> dict[str, Any]:
    """What the chain alone says of a purchase."""
    terms, member = chain.terms, session.member(provider)
    return {
        "format": FORMAT,
        "chain_id": session.chain_id,
        "session": chain.address,
        "transaction": _transaction(chain),
        "collector": terms.collector,
        "provider": provider,
        "reward": str(terms.reward),
        "token": terms.token,
        "task": cid_from_digest(terms.task),
        "manifest": cid_from_digest(member.manifest),
        "key_root": "0x" + member.key_root.hex(),
        "address_root": "0x" + member.address_root.hex(),
        "shards": terms.shard_count,
        "shard_size": terms.shard_size,
    }


def _proof(chain: ChainSession, session: Session, bought: Purchase) -> dict[str, Any]:
    """What ties the files to the session: for people, and for who compares."""
    open_ = chain.terms.settlement is Settlement.OPEN
    return {
        **_facts(chain, session, bought.member.account),
        "licence": bought.manifest.licence,
        # Under sealed settlement it stays with who paid for it.
        "session_key": "0x" + bought.session_key.hex() if open_ else None,
    }


def _transaction(chain: ChainSession) -> str:
    """The one that published or delivered the key."""
    kinds = (ev.RewardClaimed.__name__, ev.KeyDelivered.__name__)
    logs = decoded(chain.contract, logs_of(chain.address, chain.created, []))
    return str([log.transaction_hash for log in logs if log.event_name in kinds][-1])
