"""One SQLite file that several processes share."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offchain.errors import SoukError

WAIT_SECONDS = 60
"""For another process to end its transaction."""


class DatabaseBusy(SoukError):
    """Another process has the file, and did not give it back in time."""


class Database:
    """Rows in a file.

    Attributes:
        rows: the connection, on which every statement stands for itself outside of `at_once`.
    """

    def __init__(self, path: Path | None, schema: str, *, one_thread: bool = True) -> None:
        """path: of the file, made with its folder; None for memory. schema: made where absent.

        one_thread: whether the thread that opened it is alone; others have to take turns.
        """
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._name = str(path or "memory")
        self.rows = sqlite3.connect(
            path or ":memory:",
            timeout=WAIT_SECONDS,
            isolation_level=None,
            check_same_thread=one_thread,
        )
        self.rows.executescript(schema)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """One transaction, whole or not at all, in which no other process writes.

        Raises DatabaseBusy.
        """
        try:
            self.rows.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise DatabaseBusy(f"another process has {self._name} for too long: {error}") from error
        try:
            yield
        except BaseException:
            self.rows.execute("ROLLBACK")
            raise
        self.rows.execute("COMMIT")


def content_of(path: Path) -> bytes:
    """A file's content between two transactions, whoever writes meanwhile."""
    rows = sqlite3.connect(path, timeout=WAIT_SECONDS)
    try:
        return bytes(rows.serialize())
    finally:
        rows.close()
