"""What a seller has ready before it lists: masked data, encrypted cleaners, keys, a listing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from offchain.crypto.disputable import EncryptedFile, encrypt_file
from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.settlement import Settlement
from offchain.data.imageset import Progress
from offchain.hide.cleaner import encode_cleaner
from offchain.hide.countermeasures import Regained
from offchain.hide.family import Family
from offchain.hide.published import encode_dataset
from offchain.hide.sale.catalogue import Catalogue
from offchain.hide.sale.errors import SaleError
from offchain.hide.sale.listings import Level, Listing, cleaner_domain
from offchain.storage import Datastore, cid_of, digest_of

KEY_BYTES = 32


@dataclass(frozen=True)
class Conditions:
    """What a seller asks, in the token's smallest unit and in seconds; see `crypto.listings`.

    prices: of the family's levels, weakest first, rising. funds: put up for stakes.
    """

    seller: str
    token: str
    prices: tuple[int, ...]
    stake: int
    funds: int
    settlement: Settlement
    delivery_time: int
    dispute_time: int


@dataclass(frozen=True)
class Stock:
    """listing: as it will be listed, with `funds`. catalogue: CID of what is told beside it.
    sizes: bytes of the levels' files in the datastore. keys: to them, secret."""

    listing: Listing
    funds: int
    catalogue: str
    sizes: tuple[int, ...]
    keys: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Stock({len(self.keys)} levels, catalogue {self.catalogue})"


def prepare(
    family: Family,
    conditions: Conditions,
    chain_id: int,
    contract: str,
    store: Datastore,
    secrets_file: SecretsFile,
    *,
    network: str,
    masked: float,
    free: Regained,
    spoil: Callable[[int, EncryptedFile], EncryptedFile] | None = None,
    progress: Progress | None = None,
) -> Stock:
    """Puts everything into the datastore; the same arguments and secrets give the same stock.

    A level claims the accuracy it was designed for. network, masked, free: see `Catalogue`.
    spoil: changes a level's file before the seller commits to it; for demonstrations and tests.
    progress: called in levels.

    Raises SaleError unless there is one price above the one before for each level.
    """
    levels, prices = family.levels, conditions.prices
    if len(prices) != len(levels):
        raise SaleError(f"{len(prices)} prices for {len(levels)} levels")
    if prices[0] < 1 or any(a >= b for a, b in pairwise(prices)):
        raise SaleError(f"prices must rise from level to level and begin above 0, not {prices}")
    published = encode_dataset(family.masked)
    dataset = digest_of(cid_of(published))
    offers, keys, files = [], [], []
    for i, (level, price) in enumerate(zip(levels, prices, strict=True)):
        name = f"key of level {i} of {dataset.hex()} at {contract} on chain {chain_id}"
        key = secrets_file.remember(name, lambda: secrets.token_bytes(KEY_BYTES))
        domain = cleaner_domain(chain_id, contract, conditions.seller, dataset, i)
        file = encrypt_file(domain, key, encode_cleaner(family.cleaner(i + 1)))
        if spoil is not None:
            file = spoil(i, file)
        claimed = round(level.wanted * 10_000)
        offers.append(Level(claimed, price, file.commitment(domain), domain.key_hash(key)))
        keys.append(key)
        files.append(file.to_bytes())
        if progress is not None:
            progress(i + 1, len(levels))
    listing = Listing(
        seller=conditions.seller,
        token=conditions.token,
        stake=conditions.stake,
        settlement=conditions.settlement,
        delivery_time=conditions.delivery_time,
        dispute_time=conditions.dispute_time,
        dataset=dataset,
        levels=tuple(offers),
    )
    store.put(published)
    cids = tuple(store.put_many(files))
    catalogue = Catalogue(cids, network, masked, free.name, free.accuracy)
    return Stock(
        listing,
        conditions.funds,
        store.put(catalogue.to_bytes()),
        tuple(map(len, files)),
        tuple(keys),
    )
