"""Makes what a seller has ready before it lists, from masked pictures and their cleaners."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

from offchain.crypto.disputable import EncryptedFile, encrypt_file
from offchain.crypto.secrets_file import SecretsFile
from offchain.data.imageset import Progress
from offchain.hide.cleaner import encode_cleaner
from offchain.hide.published import encode_dataset
from offchain.hide.sale.catalogue import Catalogue
from offchain.hide.sale.errors import SaleError
from offchain.hide.sale.listings import Level, Listing, cleaner_domain
from offchain.hide.sale.stock import KEY_BYTES, MASKED, Conditions, Stock, key_name
from offchain.hide.sale.wares import Wares
from offchain.storage import Datastore, cid_of, digest_of
from offchain.task import Task, publish_task


def prepare(
    wares: Wares,
    task: Task,
    conditions: Conditions,
    chain_id: int,
    contract: str,
    store: Datastore,
    secrets_file: SecretsFile,
    *,
    spoil: Callable[[int, EncryptedFile], EncryptedFile] | None = None,
    progress: Progress | None = None,
) -> Stock:
    """Puts everything into the datastore; the same arguments and secrets give the same stock.

    task: what is said of what is sold; which pictures those are is added here. spoil: changes
    a level's file before the seller commits to it; for demonstrations and tests.
    progress: called in levels.

    Raises SaleError unless there is one price above the one before for each level.
    """
    prices = conditions.prices
    if len(prices) != len(wares.cleaners):
        raise SaleError(f"{len(prices)} prices for {len(wares.cleaners)} levels")
    if prices[0] < 1 or any(a >= b for a, b in pairwise(prices)):
        raise SaleError(f"prices must rise from level to level and begin above 0, not {prices}")
    published = encode_dataset(wares.masked)
    task = replace(task, documents={**task.documents, MASKED: cid_of(published)})
    digest = digest_of(cid_of(task.to_bytes()))
    offers, keys, files = [], [], []
    for i, (cleaner, price) in enumerate(zip(wares.cleaners, prices, strict=True)):
        name = key_name(i, digest, contract, chain_id)
        key = secrets_file.remember(name, lambda: secrets.token_bytes(KEY_BYTES))
        domain = cleaner_domain(chain_id, contract, conditions.seller, digest, i)
        file = encrypt_file(domain, key, encode_cleaner(cleaner))
        if spoil is not None:
            file = spoil(i, file)
        claimed = round(wares.claimed[i] * 10_000)
        offers.append(Level(claimed, price, file.commitment(domain), domain.key_hash(key)))
        keys.append(key)
        files.append(file.to_bytes())
        if progress is not None:
            progress(i + 1, len(prices))
    listing = Listing(
        seller=conditions.seller,
        token=conditions.token,
        stake=conditions.stake,
        settlement=conditions.settlement,
        delivery_time=conditions.delivery_time,
        dispute_time=conditions.dispute_time,
        task=digest,
        levels=tuple(offers),
    )
    store.put(published)
    publish_task(store, task)
    cids = tuple(store.put_many(files))
    catalogue = Catalogue(cids, wares.network, wares.alone, wares.free.name, wares.free.accuracy)
    return Stock(
        listing,
        conditions.funds,
        store.put(catalogue.to_bytes()),
        tuple(map(len, files)),
        tuple(keys),
    )
