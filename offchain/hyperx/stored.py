"""Which of its encrypted shards a provider has stored, in a file beside its secrets.

Who is stopped while it stores, or later, encrypts and stores no shard again that its node still
has. The file says where to look, and no more: the node is asked for each shard, and who loses the
file stores all again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

from offchain.database import Database
from offchain.storage import Datastore, cid_from_digest, digest_of
from offchain.storage.ledger import ledger_of

FILE = "shards.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS stored (
    dataset BLOB NOT NULL, shard INTEGER NOT NULL, digest BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (dataset, shard)
) WITHOUT ROWID;
"""
_DRAWS = 2**64


class StoredShards:
    """The shards of one dataset under one session key (32 bytes), in the file at `path`.

    Other data, another session and another account have another key, and so nothing in common.
    """

    def __init__(self, path: Path, session_key: bytes) -> None:
        self._database = Database(path, _SCHEMA)
        # The key itself lies with the secrets alone.
        self._dataset = sha256(b"souk.stored" + session_key).digest()

    def kept_by(self, store: Datastore) -> dict[int, str]:
        """CIDs, by shard, of those that `store` still has, which go on being kept.

        As many blocks of each are looked at as `Datastore.lost` does, drawn so that nobody foresees
        which. Whether others are gone shows later, to who looks after content
        (offchain/storage/retention.py). Raises DatastoreUnavailable.
        """
        rows = self._database.rows.execute(
            "SELECT shard, digest FROM stored WHERE dataset = ? ORDER BY shard", (self._dataset,)
        )
        noted = {shard: cid_from_digest(digest) for shard, digest in rows}
        lost = set(store.lost(list(noted.values()), secrets.randbelow(_DRAWS)))
        kept = {shard: cid for shard, cid in noted.items() if cid not in lost}
        if ledger := ledger_of(store):
            ledger.note(dict.fromkeys(kept.values()), own=True)
        return kept

    def note(self, cids: Mapping[int, str]) -> None:
        """Shards that were stored."""
        rows = [(self._dataset, shard, digest_of(cid)) for shard, cid in cids.items()]
        with self._database.at_once():
            self._database.rows.executemany("INSERT OR REPLACE INTO stored VALUES (?, ?, ?)", rows)

    def forget(self) -> None:
        """None of them counts as stored any more."""
        self._database.rows.execute("DELETE FROM stored WHERE dataset = ?", (self._dataset,))

    def close(self) -> None:
        """Ends its connection."""
        self._database.rows.close()
