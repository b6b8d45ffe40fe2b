"""Tables in files: CSV and Parquet, read row by row within bounds, whoever wrote them.

A row becomes a record: its cells as one line of CSV (RFC 4180) in UTF-8, without the end of the
line, each cell as it stands in the file. What a cell means is for a task to say
(`offchain/task/columns.py`).
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch

from offchain.data.imageset import MAX_CLASSES, DataError, Progress
from offchain.data.leftout import LeftOut, Note, shortened, warn
from offchain.data.originals import Originals
from offchain.data.pictures import UnreadableError

TABLE, TEXT = "table", "text"
CSV, PARQUET = ".csv", ".parquet"
ENDINGS = (CSV, PARQUET)
"""Of files that are tables, in lower case."""

MAX_FILE_BYTES = 256 << 20
MAX_COLUMNS = 1_024
"""Of one file."""
MAX_ROW_BYTES = 64 << 10
"""Longest row of a file, its line ends within quotes among it, and longest record."""
MAX_ROWS = 4_000_000
MAX_CELLS = 1 << 25
"""Of one file; each row is held as one line of text."""
MAX_HELD_BYTES = 1 << 30
"""Of all records and labels of one file, which Parquet may store once for many rows."""
MAX_NAME = 200
"""Characters of a column's name."""

_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_END = "\r\n"
_BOM = b"\xef\xbb\xbf"
_BROKEN = "rows that cannot be read"


@dataclass(frozen=True)
class Rows:
    """Rows as their owner has them: no task has said yet what their cells mean.

    names: of the columns, in the order of the cells; of texts none, and a record is a text.
    """

    names: tuple[str, ...]
    modality: str = TABLE
    most_features: int | None = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """How many columns."""
        return (len(self.names),)

    @property
    def values(self) -> tuple[int, ...]:
        """None: there are no numbers yet."""
        return (0,)

    def decoded(self, record: bytes, told: str) -> torch.Tensor:
        """Raises DataError: nobody has said what the columns mean."""
        raise DataError(f"{told}: no task says what the columns mean")

    def corrupted(
        self, records: Sequence[bytes], kind: str, level: float, rng: np.random.Generator
    ) -> list[bytes]:
        """Raises DataError, as `decoded` does."""
        raise DataError(f"{kind}: no task says what the columns mean")


def is_table(spec: str) -> bool:
    """Whether a dataset's name is that of a table's file."""
    return Path(spec).suffix.lower() in ENDINGS


def record_of(cells: Sequence[str]) -> bytes:
    """A row's cells as a record. Raises DataError for one longer than MAX_ROW_BYTES."""
    out = io.StringIO()
    csv.writer(out, lineterminator=_END).writerow(cells)  # a cell that holds it is quoted
    record = out.getvalue().removesuffix(_END).encode()
    if len(record) > MAX_ROW_BYTES:
        raise DataError(f"a row of {len(record):,} bytes, at most {MAX_ROW_BYTES:,} are allowed")
    return record


def cells_of(record: bytes, count: int, told: str) -> list[str]:
    """The `count` cells of an untrusted record, which has its one form. Raises UnreadableError."""
    if len(record) > MAX_ROW_BYTES:
        why = f"{len(record):,} bytes, at most {MAX_ROW_BYTES:,} are allowed"
        raise UnreadableError(f"{told} is no row: {why}", _BROKEN)
    try:
        (cells,) = csv.reader(io.StringIO(record.decode(), newline=""), strict=True)
    except (ValueError, csv.Error) as error:
        raise UnreadableError(f"{told} is no row of CSV in UTF-8", _BROKEN) from error
    if len(cells) != count:
        raise UnreadableError(f"{told} has {len(cells)} cells, needs {count}", _BROKEN)
    if record_of(cells) != record:
        raise UnreadableError(f"{told} is not written as rows are", _BROKEN)
    return cells


def load_table(
    path: Path,
    label: str | None,
    text: str | None = None,
    *,
    limit: int | None = None,
    skip_broken: bool = False,
    note: Note = warn,
    progress: Progress | None = None,
) -> Originals:
    """The rows of a file as records of all its columns but the label's, and the labels by name.

    path: CSV in UTF-8 whose first line names the columns, or Parquet, by its ending. label: name
    of the column of the classes. text: of a column of texts, each of which is a record then, as it
    stands; the others are not looked at. limit: at most so many rows, evenly spaced. skip_broken:
    leave out rows without a label or text, or with more or fewer cells than columns; else the first
    of them ends the reading. note: told what was left out. progress: called in rows, of as many as
    are known.

    Raises DataError, one line, naming the file, the row or the bound.
    """
    names, rows = _opened(path)
    if label is None:
        raise DataError(f"{path}: --label says which column is the class: {shortened(names)}")
    place = _label_place(path, names, label)
    chosen = [i for i in range(len(names)) if i != place]
    if text is not None:
        chosen = [_label_place(path, names, text)]
    kept = tuple(names[i] for i in chosen)
    if not kept:
        raise DataError(f"{path} has no column besides the label {label!r:.60}")
    records: list[bytes] = []
    marks: list[str] = []
    broken: list[str] = []
    held = 0
    for number, cells in rows:
        whole = len(cells) == len(names)
        mark = cells[place].strip() if whole else ""
        if not mark or (text is not None and not cells[chosen[0]].strip()):
            why = "no label" if not mark else "no text"
            why = why if whole else f"{len(cells)} cells"
            if not skip_broken:
                raise UnreadableError(
                    f"{path}, row {number}: {why} under {len(names)} columns", _BROKEN
                )
            broken.append(f"row {number}")
            continue
        mine = [cells[i] for i in chosen]
        records.append(record_of(mine) if text is None else mine[0].encode())
        marks.append(mark)
        held += len(records[-1]) + len(mark)
        if held > MAX_HELD_BYTES:
            raise DataError(
                f"{path}: {number:,} rows have more than {MAX_HELD_BYTES:,} bytes, the most that "
                "are held: name a part of it"
            )
        if len(records) > MAX_ROWS or len(records) * len(kept) > MAX_CELLS:
            raise DataError(
                f"{path} has more than {min(MAX_ROWS, MAX_CELLS // len(kept)):,} rows of "
                f"{len(kept)} columns: name a part of it"
            )
        if progress is not None and len(records) % 4096 == 0:
            progress(len(records), len(records))
    if broken:
        note(LeftOut(str(path), _BROKEN, tuple(broken)))
    if not records:
        raise DataError(f"{path} has no row")
    classes = sorted(set(marks))
    if len(classes) > MAX_CLASSES:
        raise DataError(f"{path}: {len(classes):,} classes, at most {MAX_CLASSES:,}: is {label!r} "
                        "the label?")  # fmt: skip
    at = {name: index for index, name in enumerate(classes)}
    found = Originals(
        tuple(records),
        torch.tensor([at[mark] for mark in marks]),
        tuple(classes),
        Rows(kept) if text is None else Rows((), TEXT),
        tuple(hashlib.sha256(record).digest() for record in records),
        path.name,
    )
    if limit is None or limit >= len(found):
        return found
    return found.subset(np.arange(limit, dtype=np.int64) * len(found) // limit)


def _label_place(path: Path, names: Sequence[str], label: str) -> int:
    if label not in names:
        raise DataError(f"{path} has no column {label!r:.60}; it has {shortened(tuple(names))}")
    return names.index(label)


def _opened(path: Path) -> tuple[tuple[str, ...], Iterator[tuple[int, list[str]]]]:
    """Names of the columns, and the rows with their numbers, from 1."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise DataError(f"{path} has {size:,} bytes, at most {MAX_FILE_BYTES:,} are read")
        if path.suffix.lower() == PARQUET:
            from offchain.data.parquet import parquet_rows  # pyarrow is slow to load

            names, rows = parquet_rows(path)
        else:
            lines = _Lines(path, path.open("rb"))
            rows = lines.rows()
            _, names = next(rows, (0, []))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
    return _checked(path, names), rows


def _checked(path: Path, names: Sequence[str]) -> tuple[str, ...]:
    stripped = tuple(name.strip() for name in names)
    if not 1 <= len(stripped) <= MAX_COLUMNS:
        raise DataError(f"{path} has {len(stripped)} columns, must be 1 to {MAX_COLUMNS}")
    for number, name in enumerate(stripped, 1):
        if not 1 <= len(name) <= MAX_NAME:
            raise DataError(
                f"{path}: column {number} has a name of {len(name)} characters, must be 1 to "
                f"{MAX_NAME}"
            )
    twice = [name for name, count in Counter(stripped).items() if count > 1]
    if twice:
        raise DataError(f"{path}: the column {twice[0]!r:.60} stands there twice")
    return stripped


class _Lines:
    """The lines of a CSV file, of which a row takes at most MAX_ROW_BYTES."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self._path, self._file = path, file
        self._row, self._bytes = 0, 0

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Cells of each row that is not empty, with its number; 0 is the line of names."""
        with self._file:
            try:
                for cells in csv.reader(self._lines(), strict=True):
                    self._bytes = 0
                    if cells:
                        yield self._row, cells
                        self._row += 1
            except csv.Error as error:
                raise DataError(f"{self._where} is no CSV: {error}") from error

    @property
    def _where(self) -> str:
        return f"{self._path}, " + (f"row {self._row}" if self._row else "the line of names")

    def _lines(self) -> Iterator[str]:
        first = True
        while line := self._file.readline(MAX_ROW_BYTES + 1):
            if first and line.startswith(_UTF_16):
                raise DataError(f"{self._path} is written in UTF-16: save it as UTF-8")
            line, first = line.removeprefix(_BOM) if first else line, False
            self._bytes += len(line)
            if self._bytes > MAX_ROW_BYTES:
                raise DataError(
                    f"{self._where} has more than {MAX_ROW_BYTES:,} bytes, the most that a row may"
                )
            if b"\0" in line:
                raise DataError(f"{self._where} holds a byte of zero: it is no text")
            try:
                yield line.decode()
            except UnicodeDecodeError as error:
                raise DataError(f"{self._where} is not written in UTF-8") from error
