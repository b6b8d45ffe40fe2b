"""`ape run export`: the pictures of a bought level by class, with what proves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ape
import click

from offchain.data.imageset import ImageSet
from offchain.hide.sale import events as ev
from offchain.hide.sale.buyer import Buyer
from offchain.hide.sale.listings import SaleState
from offchain.hide.sale.session import Delivery, Purchase, SaleSession
from offchain.storage import (
    ContentError,
    Datastore,
    DatastoreUnavailable,
    Network,
    cid_from_digest,
)
from scripts._hide.chain import SALE, SaleChain
from scripts._stage.chain import chain_home
from scripts._stage.deployments import deployed
from scripts._stage.exported import read_back, write_bought
from scripts._stage.party import ExportOptions, PartyTelling
from scripts._stage.reading import reading_store
from scripts._stage.secrets import secrets_at

FORMAT = "souk.level.v1"


def run_export(reference: str, options: ExportOptions) -> None:
    """Writes the best level that was bought in a listing, and compares it with the chain.

    Masked pictures and cleaner are fetched, checked against what was committed to, and put
    together. It is told how the purchase stands now: delivered, which may still be disputed, or
    owned. Raises ClickException where nothing is there that can be opened, or the folder is not
    what was sold.
    """
    telling = PartyTelling(as_json=options.as_json)
    home = chain_home()
    chain = SaleChain.resume(deployed(SALE, options.deployments), reference)
    session = chain.read()
    network = Network(options.listen, options.peer)
    with reading_store(options.ipfs, network) as store:
        with telling.doing("cleaning the pictures"):
            role, delivery, cleaned = _best(session, store, home)
            proof = _proof(chain, role, delivery)
        if not options.check:
            with telling.doing("writing the pictures") as progress:
                write_bought(cleaned, role.task, proof, options.out, progress)
    with telling.doing("comparing the pictures with what was listed"):
        images = read_back(options.out, session.listed.task, proof)
    if images.digest() != cleaned.digest():
        raise click.ClickException(
            f"{options.out} is not level {delivery.level + 1} of {chain.reference}: other "
            "pictures, labels or order"
        )
    telling.event(
        "checked" if options.check else "exported",
        folder=str(options.out),
        samples=len(images),
        level=delivery.level + 1,
        state=session.purchases[role.account].state.name.lower(),
        sha256=images.digest(),
    )


def _best(session: SaleSession, store: Datastore, home: Path) -> tuple[Buyer, Delivery, ImageSet]:
    """The best level that was bought from this place, opened; else the best that anybody bought
    and whose key is published.

    A level whose content cannot be had is passed over. Raises ClickException where there is none.
    """
    found = [
        (_secrets(home, account).exists(), delivery.level, account, delivery)
        for account, purchase in session.purchases.items()
        for delivery in purchase.deliveries
        if delivery.key is not None or _secrets(home, account).exists()
    ]
    why = "none was published, or sealed to an account here"
    for _, level, account, delivery in sorted(found, key=lambda one: one[:2], reverse=True):
        if fault := _fault(session.purchases[account], level):
            why = f"that of level {level + 1} was not bought in the end: {fault}"
            continue
        role = Buyer(account, session, (level,), store, secrets_at(_secrets(home, account)))
        try:
            opened = role.open(delivery)
        except (ContentError, DatastoreUnavailable) as error:
            why = f"that of level {level + 1}: {error}"
            continue
        if opened.dataset is not None:
            return role, delivery, opened.dataset
        why = f"that of level {level + 1}: {opened.objection}"
    raise click.ClickException(f"no key of listing 0x{session.id.hex()} opens anything: {why}")


def _fault(purchase: Purchase, level: int) -> str:
    """What the buyer proved of a level, and has its price back for or may have; else nothing."""
    if purchase.state is SaleState.CHEATED and purchase.level == level:
        return purchase.fault
    return next((why for number, why in purchase.failed if number == level), "")


def _secrets(home: Path, account: str) -> Path:
    return home / f"buyer-{account}.json"


def _proof(chain: SaleChain, role: Buyer, delivery: Delivery) -> dict[str, Any]:
    """What ties the pictures to the listing: for people, and for who compares."""
    listing = role.session.listed
    level = listing.levels[delivery.level]
    return {
        "format": FORMAT,
        "chain_id": ape.chain.chain_id,
        "contract": chain.address,
        "listing": chain.reference,
        "transaction": _transaction(chain, role.session.purchases[role.account], delivery),
        "seller": listing.seller,
        "buyer": role.account,
        "level": delivery.level + 1,
        "claimed_accuracy": level.accuracy_bps / 10_000,
        "price": str(level.price),
        "token": listing.token,
        "licence": role.task.licence,
        "task": cid_from_digest(listing.task),
        "catalogue": cid_from_digest(role.session.catalogue),
        "file": "0x" + level.file.hex(),
        "key_hash": "0x" + level.key_hash.hex(),
        # Under sealed settlement it stays with who paid for it.
        "key": None if delivery.key is None else "0x" + delivery.key.hex(),
    }


def _transaction(chain: SaleChain, purchase: Purchase, delivery: Delivery) -> str:
    """The one that published or delivered a key to its buyer."""
    kinds = (ev.KeyPublished.__name__, ev.KeySealed.__name__)
    delivered = [
        str(log.transaction_hash)
        for log in chain.logs()
        if log.event_name in kinds and log.event_arguments["buyer"] == purchase.buyer
    ]
    return delivered[purchase.deliveries.index(delivery)]
