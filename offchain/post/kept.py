"""Letters on disk: what a party sent and what it received, with the signatures."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from offchain.database import Database
from offchain.post.envelope import Envelope
from offchain.post.letter import MOST_LETTERS, Letter, PostError, PostFull

MOST_BYTES = 256 << 20
"""Of one topic's letters, beyond each sender's first `SHARE_BYTES`, which have as much room again:
a few who write much keep out nobody who writes little."""
SHARE_BYTES = 64 << 10

_SCHEMA = """
CREATE TABLE IF NOT EXISTS letters (
    place INTEGER PRIMARY KEY, topic TEXT, sender BLOB, account TEXT, number INTEGER,
    signature BLOB, body BLOB, UNIQUE (topic, sender, number)
);
CREATE TABLE IF NOT EXISTS held (
    topic TEXT, sender BLOB, bytes INTEGER, PRIMARY KEY (topic, sender)
);
"""


class KeptLetters:
    """The letters of one topic in an SQLite file, which processes and threads may share.

    Of each sender they are kept in order and without a gap. Raises PostError where the file
    cannot be used.
    """

    def __init__(self, path: Path | None, topic: str) -> None:
        """path: of the file, None for memory. topic: its name."""
        self._path, self._topic = path, topic
        self._turn = RLock()
        self._read: list[Letter] = []
        self._place = 0
        with self._usable():
            self._file = Database(path, _SCHEMA, one_thread=False)

    def counts(self) -> dict[bytes, int]:
        """How many there are of each sender, by its 20 bytes."""
        with self._usable():
            rows = self._file.rows.execute(
                "SELECT sender, MAX(number) + 1 FROM letters WHERE topic = ? GROUP BY sender",
                (self._topic,),
            )
            return {bytes(sender): count for sender, count in rows}

    def letters(self) -> list[Letter]:
        """All, in the order in which they were added."""
        with self._usable():
            rows = self._file.rows.execute(
                "SELECT place, account, number, body FROM letters "
                "WHERE topic = ? AND place > ? ORDER BY place",
                (self._topic, self._place),
            )
            for self._place, account, number, body in rows:
                self._read.append(Letter(account, number, bytes(body)))
            return list(self._read)

    def envelope(self, sender: bytes, number: int) -> Envelope | None:
        """One letter as it is carried."""
        with self._usable():
            row = self._file.rows.execute(
                "SELECT signature, body FROM letters WHERE topic = ? AND sender = ? AND number = ?",
                (self._topic, sender, number),
            ).fetchone()
        return None if row is None else Envelope(sender, number, bytes(row[0]), bytes(row[1]))

    def add(self, envelope: Envelope, account: str) -> bool:
        """Keeps a letter that is the sender's next; False where it is not, or has no room."""
        with self._usable(), self._file.at_once():
            if self._count(envelope.sender) != envelope.number or not self._has_room(envelope):
                return False
            self._insert(envelope, account)
            return True

    def append(self, sender: bytes, account: str, sign: Callable[[int], Envelope]) -> Letter:
        """Keeps a letter of one's own, whatever others fill. sign: makes it, given its number.
        Raises PostFull."""
        # Signed in the transaction: a number that two processes gave would lose a letter.
        with self._usable(), self._file.at_once():
            count = self._count(sender)
            if count >= MOST_LETTERS:
                raise PostFull(f"{account} sent {count} letters; kept are {MOST_LETTERS} at most")
            envelope = sign(count)
            self._insert(envelope, account)
            return Letter(account, count, envelope.body)

    def close(self) -> None:
        with self._turn:
            self._file.rows.close()

    def _count(self, sender: bytes) -> int:
        """Letters of a sender."""
        (last,) = self._file.rows.execute(
            "SELECT MAX(number) FROM letters WHERE topic = ? AND sender = ?", (self._topic, sender)
        ).fetchone()
        return 0 if last is None else last + 1

    def _has_room(self, envelope: Envelope) -> bool:
        """Whether a letter fits into what all share, or into its sender's own share."""
        if envelope.number >= MOST_LETTERS:
            return False
        rows = self._file.rows
        shares, more = rows.execute(
            "SELECT TOTAL(MIN(bytes, ?1)), TOTAL(MAX(bytes - ?1, 0)) FROM held WHERE topic = ?2",
            (SHARE_BYTES, self._topic),
        ).fetchone()
        held = rows.execute(
            "SELECT bytes FROM held WHERE topic = ? AND sender = ?",
            (self._topic, envelope.sender),
        ).fetchone()
        size = len(envelope.body)
        if (held[0] if held else 0) + size <= SHARE_BYTES:
            return bool(shares + size <= MOST_BYTES)
        return bool(more + size <= MOST_BYTES)

    def _insert(self, envelope: Envelope, account: str) -> None:
        self._file.rows.execute(
            "INSERT INTO letters (topic, sender, account, number, signature, body) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                self._topic,
                envelope.sender,
                account,
                envelope.number,
                envelope.signature,
                envelope.body,
            ),
        )

        self._file.rows.execute(
            "INSERT INTO held VALUES (?, ?, ?) "
            "ON CONFLICT (topic, sender) DO UPDATE SET bytes = bytes + excluded.bytes",
            (self._topic, envelope.sender, len(envelope.body)),
        )

    @contextmanager
    def _usable(self) -> Iterator[None]:
        with self._turn:
            try:
                yield
            except sqlite3.Error as error:
                raise PostError(f"letters in {self._path or 'memory'}: {error}") from error
