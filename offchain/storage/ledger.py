"""What a party stored or pinned and must keep, in a file of its own beside its secrets.

A node may lose its disk, a daemon its pins, and a service drops what is not paid for. Then this
says what is missing. It has copies of what was stored one by one: what was sealed with a secret
that was used once cannot be made again. What was stored as many at once can, from the data.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Protocol, runtime_checkable

from offchain.database import Database

COPY_BYTES = 16 << 20
"""Longest content of which there is a copy."""
FORGOTTEN_SECONDS = 90 * 86_400
"""What nobody asked for so long belongs to a session that was never ended."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (
    cid TEXT PRIMARY KEY, own INTEGER NOT NULL, copy BLOB, noted INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS ends (about TEXT PRIMARY KEY, time INTEGER NOT NULL);
"""


class Ledger:
    """Contents by their CID, in the file at `path`; None for memory. For several threads.

    clock: Unix time in seconds.
    """

    def __init__(self, path: Path | None, clock: Callable[[], float] = time.time) -> None:
        self._database = Database(path, _SCHEMA, one_thread=False)
        self._lock, self._clock = Lock(), clock
        self._noted: set[str] = set()
        with self._lock:
            self._database.rows.execute(
                "DELETE FROM kept WHERE noted < ?", (int(clock()) - FORGOTTEN_SECONDS,)
            )

    def note(self, contents: Mapping[str, bytes | None], *, own: bool) -> None:
        """Contents that are to be kept, with their bytes where a copy is. own: stored here, not
        only pinned."""
        now = int(self._clock())
        rows = [
            (cid, own, data if data is None or len(data) <= COPY_BYTES else None, now)
            for cid, data in contents.items()
        ]
        with self._lock, self._database.at_once():
            self._database.rows.executemany(
                "INSERT INTO kept VALUES (?, ?, ?, ?) ON CONFLICT (cid) DO UPDATE SET "
                "own = max(own, excluded.own), copy = coalesce(excluded.copy, copy), "
                "noted = excluded.noted",
                rows,
            )
        self._noted.update(contents)

    def cids(self) -> list[str]:
        """Of all that is to be kept, in no order of meaning."""
        with self._lock:
            return [cid for (cid,) in self._database.rows.execute("SELECT cid FROM kept")]

    def copy_of(self, cid: str) -> bytes | None:
        """The content, where it is small enough and was stored here."""
        with self._lock:
            row = self._database.rows.execute(
                "SELECT copy FROM kept WHERE cid = ?", (cid,)
            ).fetchone()
        return None if row is None else row[0]

    def is_own(self, cid: str) -> bool:
        """Whether it was stored here, not only pinned."""
        with self._lock:
            row = self._database.rows.execute(
                "SELECT own FROM kept WHERE cid = ?", (cid,)
            ).fetchone()
        return row is not None and bool(row[0])

    def drop(self, cid: str) -> None:
        """It need not be kept."""
        with self._lock:
            self._database.rows.execute("DELETE FROM kept WHERE cid = ?", (cid,))

    def end_of(self, about: str, now: int) -> int:
        """When something ended, in Unix seconds: `now` where nothing was told of that before."""
        with self._lock:
            self._database.rows.execute("INSERT OR IGNORE INTO ends VALUES (?, ?)", (about, now))
            row = self._database.rows.execute("SELECT time FROM ends WHERE about = ?", (about,))
            return int(row.fetchone()[0])

    def release(self) -> None:
        """What was noted since this object was made need not be kept any more."""
        with self._lock, self._database.at_once():
            self._database.rows.executemany(
                "DELETE FROM kept WHERE cid = ?", [(cid,) for cid in self._noted]
            )
        self._noted.clear()

    def close(self) -> None:
        """Ends its connection."""
        with self._lock:
            self._database.rows.close()


@runtime_checkable
class _Ledgered(Protocol):
    ledger: Ledger | None


def ledger_of(store: object) -> Ledger | None:
    """The ledger of a datastore, where it has one."""
    return store.ledger if isinstance(store, _Ledgered) else None
