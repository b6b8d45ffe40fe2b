"""What a seller has ready before it lists: task, masked data, encrypted cleaners, keys, listing.

It is kept on disk, but for the keys. So a seller that goes on reads neither pictures nor cleaners,
and loads nothing that computes.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from offchain.crypto.secrets_file import SecretsError, SecretsFile
from offchain.crypto.settlement import Settlement
from offchain.files import write_whole
from offchain.hide.sale.catalogue import Catalogue
from offchain.hide.sale.listings import Level, Listing
from offchain.storage import Datastore, cid_from_digest, cid_of
from offchain.task import Task

MASKED = "masked"
"""The document of a task that holds the masked pictures."""

KEY_BYTES = 32


@dataclass(frozen=True)
class Conditions:
    """What a seller asks, in the token's smallest unit and in seconds; see `crypto.listings`.

    prices: of the levels, weakest first, rising. funds: put up for stakes.
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


def key_name(level: int, task: bytes, contract: str, chain_id: int) -> str:
    """What the key of a level, from 0, is called in its seller's secrets file."""
    return f"key of level {level} of {task.hex()} at {contract} on chain {chain_id}"


_STOCK = "stock.json"


def keep(stock: Stock, store: Datastore, folder: Path) -> None:
    """Writes a stock to `folder`, with all that it has in the datastore under its CIDs."""
    for cid in _contents(stock, store):
        write_whole(folder / cid, store.get(cid))
    listing = asdict(stock.listing) | {"settlement": int(stock.listing.settlement)}
    said = {
        "listing": listing,
        "funds": stock.funds,
        "catalogue": stock.catalogue,
        "sizes": stock.sizes,
    }
    # Last: it says that all is there.
    write_whole(folder / _STOCK, json.dumps(said, default=bytes.hex).encode())


def kept_stock(
    folder: Path, secrets: SecretsFile, chain_id: int, contract: str
) -> tuple[Stock, list[bytes]] | None:
    """The stock that was kept in a folder, and what it has in the datastore; None where none was,
    or what is there is no stock: it is made anew then."""
    try:
        said = json.loads((folder / _STOCK).read_bytes())
        listing = said["listing"]
        levels = tuple(
            Level(**one | {name: bytes.fromhex(one[name]) for name in ("file", "key_hash")})
            for one in listing["levels"]
        )
        task = bytes.fromhex(listing["task"])
        fields = {"task": task, "levels": levels, "settlement": Settlement(listing["settlement"])}
        keys = [secrets.get(key_name(i, task, contract, chain_id)) for i in range(len(levels))]
        stock = Stock(
            Listing(**listing | fields),
            int(said["funds"]),
            str(said["catalogue"]),
            tuple(map(int, said["sizes"])),
            tuple(keys),
        )
        contents = {path.name: path.read_bytes() for path in folder.iterdir()}
    except (OSError, ValueError, KeyError, TypeError, SecretsError):
        return None
    del contents[_STOCK]
    if any(cid_of(content) != cid for cid, content in contents.items()):
        return None
    return stock, list(contents.values())


def _contents(stock: Stock, store: Datastore) -> tuple[str, ...]:
    """CIDs of all that buyers fetch."""
    task = cid_from_digest(stock.listing.task)
    masked = Task.from_bytes(store.get(task)).document(MASKED)
    catalogue = Catalogue.from_bytes(store.get(stock.catalogue))
    return (task, masked, stock.catalogue, *catalogue.files)
