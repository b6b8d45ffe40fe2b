"""`ape run export`: bought datasets as folders of pictures or rows by class, with their proofs.

They are the original files and rows where these were sold, else what was priced.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from offchain.crypto.settlement import Settlement
from offchain.data.form import IMAGES
from offchain.data.imageset import ImageSet
from offchain.mde.asked import artefact_named
from offchain.mde.original_folder import read_samples, require_originals, write_originals
from offchain.mde.purchase import (
    BOUGHT,
    bought_key,
    fetch_bought,
    has_originals,
    is_what_was_sold,
    kind_of,
    offered_at,
    require_sold,
)
from offchain.mde.row_folder import SAMPLES as ROW_SAMPLES
from offchain.mde.row_folder import read_rows, write_rows
from offchain.mde.samples import Samples
from offchain.mde.session import DealSession, Sale
from offchain.storage import Datastore, Network, cid_from_digest
from offchain.task import Task, fetch_task
from scripts._mde.chain import deal_logs
from scripts._mde.seats import CONTRACT, buyer_secrets, known, letters_here
from scripts._stage.deployments import Deployed, deployed
from scripts._stage.exported import (
    check_proof,
    read_back,
    read_documents,
    write_bought,
    write_documents,
)
from scripts._stage.party import ExportOptions, PartyTelling
from scripts._stage.reading import reading_store
from scripts._stage.secrets import secrets_at

FORMAT = "souk.mde.purchase.v1"


def run_export(reference: str, options: ExportOptions) -> None:
    """Writes what was bought of a dataset to the folder, or of an order to a folder in it for each
    dataset, reads it back and compares it with the chain.

    Raises ClickException where nothing was bought or a folder is not what was sold, MdeError.
    """
    telling = PartyTelling(as_json=options.as_json)
    sale = deployed(CONTRACT, options.deployments)
    id_, session = known(reference, sale)
    found = [
        one
        for one in session.sales.values()
        if id_ in (one.order, one.dataset) and one.state in BOUGHT and _is_own(one, id_)
    ]
    if not found:
        raise click.ClickException(f"nothing that you can open was bought in {reference}")
    keys = [
        bought_key(session, one, secrets_at(buyer_secrets(one.deal.order.buyer))) for one in found
    ]
    folders = [
        options.out if id_ in session.datasets else options.out / f"0x{one.dataset.hex()}"
        for one in found
    ]
    if not options.check:
        network = Network(options.listen, options.peer)
        with reading_store(options.ipfs, network) as store:
            for one, key, folder in zip(found, keys, folders, strict=True):
                _write(sale, session, one, key, folder, store, telling)
    for one, key, folder in zip(found, keys, folders, strict=True):
        with telling.doing("comparing the samples with what was registered"):
            said = (_compare_originals if has_originals(one) else _compare)(
                session, one, key, folder
            )
        telling.event(
            "exported" if not options.check else "checked",
            folder=str(folder),
            dataset=f"0x{one.dataset.hex()}",
            state=one.state.name.lower(),
            **said,
        )


def _compare(session: DealSession, one: Sale, key: bytes, folder: Path) -> dict[str, Any]:
    """What is in a folder of pictures, which are those that were sold. Raises ClickException."""
    if (folder / ROW_SAMPLES).exists():
        proof, task = read_documents(folder, session.orders[one.order].artefact)
        check_proof(folder, proof, task, _facts(session, one, key))
        rows = read_rows(folder, task)
        _require_sold(session, one, rows, key, folder)
        return {"samples": len(rows)}
    images = read_back(folder, session.orders[one.order].artefact, _facts(session, one, key))
    _require_sold(session, one, Samples.of(images), key, folder)
    return {"samples": len(images), "sha256": images.digest()}


def _require_sold(
    session: DealSession, one: Sale, samples: Samples, key: bytes, folder: Path
) -> None:
    if not is_what_was_sold(session, one, samples, key):
        raise click.ClickException(
            f"{folder} is not what {one.deal.dataset.seller} sold as dataset "
            f"0x{one.dataset.hex()}: other samples, labels or order"
        )


def _compare_originals(session: DealSession, one: Sale, key: bytes, folder: Path) -> dict[str, Any]:
    """The same of a folder of original files: each is bound by the leaf of what was priced."""
    proof, task = read_documents(folder, session.orders[one.order].artefact)
    check_proof(folder, proof, task, _facts(session, one, key))
    chunks, leaves = read_samples(folder)
    try:
        cipher_root = bytes.fromhex(str(proof["cipher_root"])[2:])
        odd = tuple(int(number) for number in proof["odd"])
    except (KeyError, TypeError, ValueError) as error:
        raise click.ClickException(f"{folder} has no proof that can be read: {error!r}") from error
    require_sold(session, one, key, chunks, leaves, cipher_root)
    originals = require_originals(folder, kind_of(task), task.classes, odd)
    return {"samples": one.deal.dataset.count, "originals": originals, "odd": list(odd)}


def _is_own(sale: Sale, id_: bytes) -> bool:
    """Of a dataset that many bought, what was bought by whose secrets are here."""
    return id_ == sale.order or buyer_secrets(sale.deal.order.buyer).exists()


def _write(
    sale: Deployed,
    session: DealSession,
    one: Sale,
    key: bytes,
    folder: Path,
    store: Datastore,
    telling: PartyTelling,
) -> None:
    with telling.doing("decrypting the dataset"):
        task = fetch_task(store, one.deal.order.artefact)
        cids = offered_at(one, letters_here(session, one.order))
        bought = fetch_bought(session, one, task, store, cids, key)
    samples, proof = bought.samples, _proof(sale, session, one, task, bought.cid, key)
    odd: tuple[int, ...] = ()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with telling.doing("writing the samples") as progress:
        if task.modality != IMAGES:
            odd = write_rows(bought, task, folder)
            write_documents(folder, task, {**proof, "odd": list(odd)})
        elif not has_originals(one):
            name = f"0x{one.dataset.hex()}"
            images = ImageSet(samples.inputs, samples.labels, task.classes, name)
            write_bought(images, task, proof, folder, progress)
        else:
            odd = write_originals(bought, task.classes, folder, progress).odd
            bound = {"cipher_root": f"0x{bought.cipher_root.hex()}", "odd": list(odd)}
            write_documents(folder, task, {**proof, **bound})
    if odd:
        telling.event("odd", dataset=f"0x{one.dataset.hex()}", samples=list(odd))


def _facts(session: DealSession, one: Sale, key: bytes) -> dict[str, Any]:
    """What the chain alone says of a purchase."""
    order, dataset = one.deal.order, one.deal.dataset
    public = order.settlement is Settlement.OPEN
    return {
        "format": FORMAT,
        "chain_id": session.place.chain_id,
        "contract": session.place.contract,
        "order": f"0x{one.order.hex()}",
        "dataset": f"0x{one.dataset.hex()}",
        "pair": f"0x{one.deal.pair.hex()}",
        "buyer": order.buyer,
        "seller": dataset.seller,
        "price": str(one.price),
        "token": order.token,
        "task": cid_from_digest(order.artefact),
        "file": f"0x{dataset.file.hex()}",
        "key_hash": f"0x{dataset.key_hash.hex()}",
        # A sealed one stays with who paid for it.
        "key": f"0x{key.hex()}" if public else None,
        "samples": dataset.count,
    }


def _proof(
    sale: Deployed, session: DealSession, one: Sale, task: Task, cid: str, key: bytes
) -> dict[str, Any]:
    """What ties the pictures to the sale: for people, and for who compares."""
    return {
        **_facts(session, one, key),
        "transaction": _transaction(sale, one.deal.pair),
        "licence": task.licence,
        "artefact": f"0x{artefact_named(task).hex()}",
        "encrypted": cid,
    }


def _transaction(sale: Deployed, pair: bytes) -> str:
    """The one that published or delivered the key."""
    kinds = ("KeyPublished", "KeySealed")
    logs = deal_logs(sale.contract, sale.block)
    return str(
        [
            log.transaction_hash
            for log in logs
            if log.event_name in kinds and bytes(log.event_arguments["pair"]) == pair
        ][-1]
    )
