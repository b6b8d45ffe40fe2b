"""Letters on disk: what a party sent and what it received, with the signatures."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from offchain.database import Database, content_of
from offchain.post.envelope import Envelope, line_of, parts_of
from offchain.post.letter import MOST_LETTERS, MOST_RUNS, Letter, PostError, PostFull

MOST_BYTES = 256 << 20
"""Of one topic's letters, beyond each sender's first `SHARE_BYTES`, which have as much room again:
a few who write much keep out nobody who writes little."""
SHARE_BYTES = 64 << 10

_SCHEMA = """
CREATE TABLE IF NOT EXISTS letters_of_runs (
    place INTEGER PRIMARY KEY, topic TEXT, line BLOB, account TEXT, number INTEGER,
    signature BLOB, body BLOB, UNIQUE (topic, line, number)
);
CREATE TABLE IF NOT EXISTS senders (
    topic TEXT, sender BLOB, letters INTEGER, runs INTEGER, bytes INTEGER,
    PRIMARY KEY (topic, sender)
);
CREATE TABLE IF NOT EXISTS own_runs (topic TEXT, sender BLOB, run INTEGER);
"""


class KeptLetters:
    """The letters of one topic in an SQLite file, which processes and threads may share.

    Of each line, a sender's run, they are kept in order and without a gap. Raises PostError where
    the file cannot be used.
    """

    def __init__(
        self, path: Path | None, topic: str, clock: Callable[[], float] = time.time
    ) -> None:
        """path: of the file, None for memory. topic: its name. clock: Unix seconds, at which one's
        own run begins."""
        self._path, self._topic = path, topic
        self._turn, self._clock = RLock(), clock
        self._read: list[Letter] = []
        self._place = 0
        with self._usable():
            self._file = Database(path, _SCHEMA, one_thread=False)

    def counts(self) -> dict[bytes, int]:
        """How many there are of each line."""
        with self._usable():
            rows = self._file.rows.execute(
                "SELECT line, MAX(number) + 1 FROM letters_of_runs WHERE topic = ? GROUP BY line",
                (self._topic,),
            )
            return {bytes(line): count for line, count in rows}

    def letters(self) -> list[Letter]:
        """All, in the order in which they were added."""
        with self._usable():
            rows = self._file.rows.execute(
                "SELECT place, line, account, number, body FROM letters_of_runs "
                "WHERE topic = ? AND place > ? ORDER BY place",
                (self._topic, self._place),
            )
            for self._place, line, account, number, body in rows:
                _, run = parts_of(bytes(line))
                self._read.append(Letter(account, number, bytes(body), run))
            return list(self._read)

    def envelope(self, line: bytes, number: int) -> Envelope | None:
        """One letter as it is carried."""
        with self._usable():
            row = self._file.rows.execute(
                "SELECT signature, body FROM letters_of_runs "
                "WHERE topic = ? AND line = ? AND number = ?",
                (self._topic, line, number),
            ).fetchone()
        if row is None:
            return None
        return Envelope(*parts_of(line), number, bytes(row[0]), bytes(row[1]))

    def add(self, envelope: Envelope, account: str) -> bool:
        """Keeps a letter that is its line's next; False where it is not, or has no room."""
        with self._usable(), self._file.at_once():
            if self._count(envelope.line) != envelope.number or not self._has_room(envelope):
                return False
            self._insert(envelope, account)
            return True

    def append(self, sender: bytes, account: str, sign: Callable[[int, int], Envelope]) -> Letter:
        """Keeps a letter of one's own, whatever others fill. sign: makes it, given run and number.
        Raises PostFull."""
        # Signed in the transaction: a number that two processes gave would lose a letter.
        with self._usable(), self._file.at_once():
            letters, _, _ = self._held(sender)
            if letters >= MOST_LETTERS:
                raise PostFull(f"{account} sent {letters} letters; kept are {MOST_LETTERS} at most")
            run = self._own_run(sender)
            envelope = sign(run, self._count(line_of(sender, run)))
            self._insert(envelope, account)
            return Letter(account, envelope.number, envelope.body, run)

    def close(self) -> None:
        with self._turn:
            self._file.rows.close()

    def _own_run(self, sender: bytes) -> int:
        """In which this file numbers one's own letters. One that came back from others is no such
        run: they may have more of it."""
        where = self._topic, sender
        row = self._file.rows.execute(
            "SELECT run FROM own_runs WHERE topic = ? AND sender = ?", where
        ).fetchone()
        if row is not None:
            return int(row[0])
        run = int(self._clock())
        while self._count(line_of(sender, run)):
            run += 1
        self._file.rows.execute("INSERT INTO own_runs VALUES (?, ?, ?)", (*where, run))
        return run

    def _count(self, line: bytes) -> int:
        """Letters of a line."""
        (last,) = self._file.rows.execute(
            "SELECT MAX(number) FROM letters_of_runs WHERE topic = ? AND line = ?",
            (self._topic, line),
        ).fetchone()
        return 0 if last is None else last + 1

    def _held(self, sender: bytes) -> tuple[int, int, int]:
        """Letters, runs and bytes of a sender."""
        row = self._file.rows.execute(
            "SELECT letters, runs, bytes FROM senders WHERE topic = ? AND sender = ?",
            (self._topic, sender),
        ).fetchone()
        return row or (0, 0, 0)

    def _has_room(self, envelope: Envelope) -> bool:
        """Whether a letter fits into what all share, or into its sender's own share."""
        letters, runs, held = self._held(envelope.sender)
        if letters >= MOST_LETTERS or (envelope.number == 0 and runs >= MOST_RUNS):
            return False
        shares, more = self._file.rows.execute(
            "SELECT TOTAL(MIN(bytes, ?1)), TOTAL(MAX(bytes - ?1, 0)) FROM senders WHERE topic = ?2",
            (SHARE_BYTES, self._topic),
        ).fetchone()
        size = len(envelope.body)
        if held + size <= SHARE_BYTES:
            return bool(shares + size <= MOST_BYTES)
        return bool(more + size <= MOST_BYTES)

    def _insert(self, envelope: Envelope, account: str) -> None:
        self._file.rows.execute(
            "INSERT INTO letters_of_runs (topic, line, account, number, signature, body) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                self._topic,
                envelope.line,
                account,
                envelope.number,
                envelope.signature,
                envelope.body,
            ),
        )

        self._file.rows.execute(
            "INSERT INTO senders VALUES (?, ?, 1, ?, ?) ON CONFLICT (topic, sender) DO UPDATE SET "
            "letters = letters + 1, runs = runs + excluded.runs, bytes = bytes + excluded.bytes",
            (self._topic, envelope.sender, envelope.number == 0, len(envelope.body)),
        )

    @contextmanager
    def _usable(self) -> Iterator[None]:
        with self._turn:
            try:
                yield
            except sqlite3.Error as error:
                raise PostError(f"letters in {self._path or 'memory'}: {error}") from error


def without_own_runs(path: Path) -> bytes:
    """A file's content as a backup has it. Raises PostError.

    Whoever goes on from it begins a new run: others may have more of the old one by then.
    """
    rows = sqlite3.connect(":memory:")
    try:
        rows.deserialize(content_of(path))
        rows.execute("DROP TABLE IF EXISTS own_runs")
        rows.commit()
        return bytes(rows.serialize())
    except sqlite3.Error as error:
        raise PostError(f"letters in {path}: {error}") from error
    finally:
        rows.close()
