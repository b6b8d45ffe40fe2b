"""How a row of numbers becomes a sample, and rows of one's own, from a file.

The contracts know features that are active or not. So of a table feature i is active where column i
is above its threshold, which the task names by digest, as it does words: 0.5 where a column has
zeros and ones alone, else the median of what the first model learnt.
"""

from __future__ import annotations

import csv
import math
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from offchain.report.text import plain
from offchain.sum.classifier import MAX_FEATURES
from offchain.sum.preprocessing import Features, PreprocessingError, read, written
from offchain.sum.texts import LABEL, LabelledTexts, TextsError, check_size

FORMAT = "souk.columns.v1"
"""Names the rule above; another rule is another format."""
MODALITY = "table"
MAX_NAME = 256
"""Characters of a column's name."""
MAX_VALUES = 1 << 28
"""Numbers of one file."""
NPZ = ".npz"

Floats = NDArray[np.float64]

_NO_ARRAYS = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    OverflowError,
    MemoryError,  # for a shape that its data does not have
    RuntimeError,  # encrypted, or packed as Python does not know
    zipfile.BadZipFile,
    zlib.error,
)
"""What archives and arrays that are none, or not as they say, make the libraries raise."""


@dataclass(frozen=True, eq=False)
class Row:
    """One row. columns: names, which all rows of a file share. values: float64 (F,), finite."""

    number: int
    columns: tuple[str, ...]
    values: Floats

    def __str__(self) -> str:
        return f"row {self.number}"


@dataclass(frozen=True)
class Columns(Features):
    """Names of the columns that are features, 1 to 65,536 of them, each once, and what each must
    exceed to be active. Raises PreprocessingError."""

    vocabulary: tuple[str, ...]
    above: tuple[float, ...]

    def __post_init__(self) -> None:
        count = len(self.vocabulary)
        if not 1 <= count <= MAX_FEATURES or len(self.above) != count:
            raise PreprocessingError(
                f"preprocessing: {count} columns with {len(self.above)} thresholds, must be 1 to "
                f"{MAX_FEATURES} with as many"
            )
        for name, above in zip(self.vocabulary, self.above, strict=True):
            if type(name) is not str or not 0 < len(name) <= MAX_NAME:
                raise PreprocessingError(f"preprocessing: {name!r:.80} is no column's name")
            if type(above) is not float or not math.isfinite(above):
                raise PreprocessingError(f"preprocessing: {name!r:.80} has the threshold {above!r}")
        if len(set(self.vocabulary)) < count:
            raise PreprocessingError("preprocessing: a column stands there twice")

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Columns:
        """By rows of one file."""
        values = np.stack([row.values for row in rows])
        binary = ((values == 0) | (values == 1)).all(0)
        above = np.where(binary, 0.5, np.median(values, 0))
        return cls(rows[0].columns, tuple(map(float, above)))

    def to_bytes(self) -> bytes:
        """The document. Raises PreprocessingError if it is too large."""
        return written(FORMAT, columns=list(self.vocabulary), above=list(self.above))

    @classmethod
    def from_bytes(cls, data: bytes) -> Columns:
        """Reads an untrusted document. Raises PreprocessingError."""
        columns, above = read(data, FORMAT, "columns", "above")
        return cls(tuple(columns), tuple(above))

    def features(self, item: Row) -> tuple[int, ...]:
        """The active features of a row, ascending, whatever the order of its columns.

        Raises TextsError naming a column that the task has and the row does not, or the reverse.
        """
        if item.columns == self.vocabulary:
            values = item.values
        else:
            given = {name: place for place, name in enumerate(item.columns)}
            lacking = [name for name in self.vocabulary if name not in given]
            unknown = [name for name in item.columns if name not in self._places]
            for what, names in (("lacks", lacking), ("has besides the task's", unknown)):
                if names:
                    some = ", ".join(plain(name, 40) for name in names[:5])
                    raise TextsError(f"table: it {what} {len(names)} columns: {some}")
            values = item.values[[given[name] for name in self.vocabulary]]
        return tuple(np.flatnonzero(values > self._above).tolist())

    @cached_property
    def _above(self) -> Floats:
        return np.array(self.above)

    @cached_property
    def _places(self) -> frozenset[str]:
        return frozenset(self.vocabulary)


def read_table(path: Path, *, labelled: bool = True) -> LabelledTexts:
    """The rows of a file: CSV, whose first line names the columns and one of them `label`; or .npz
    with `x` (N, F), `y` (N,) and perhaps `columns` (F,).

    labelled: whether labels must be there. Raises TextsError naming the line or the array.
    """
    check_size(path)
    rows_of = _npz if path.suffix.lower() == NPZ else _csv
    columns, values, named = rows_of(path, labelled)
    if not len(values):
        raise TextsError(f"{path} has no rows")
    if len(set(columns)) < len(columns) or not columns or len(columns) > MAX_FEATURES:
        raise TextsError(f"{path} has {len(columns)} columns, must be 1 to {MAX_FEATURES} by name")
    if not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        raise TextsError(f"{path}, row {row + 1}: {columns[column]!r:.60} is no finite number")
    rows = tuple(Row(number, columns, one) for number, one in enumerate(values, 1))
    if not labelled:
        return LabelledTexts(rows, (), (), path.name)
    classes = tuple(sorted(set(named)))
    at = {name: index for index, name in enumerate(classes)}
    return LabelledTexts(rows, tuple(at[name] for name in named), classes, path.name)


def _csv(path: Path, labelled: bool) -> tuple[tuple[str, ...], Floats, list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            head = [name.strip() for name in next(reader, [])]
            if labelled and LABEL not in head:
                raise TextsError(f"{path} has no column {LABEL}: its first line names them")
            places = [place for place, name in enumerate(head) if name != LABEL]
            rows, named = [], []
            for cells in reader:
                if not cells:
                    continue
                where = f"{path}, line {reader.line_num}"
                if len(cells) != len(head):
                    raise TextsError(f"{where}: {len(cells)} cells under {len(head)} columns")
                try:
                    rows.append([float(cells[place]) for place in places])
                except ValueError as error:
                    raise TextsError(f"{where}: {error}") from error
                if labelled:
                    named.append(cells[head.index(LABEL)].strip())
                    if not named[-1]:
                        raise TextsError(f"{where}: there is no label")
    except (UnicodeDecodeError, csv.Error) as error:
        raise TextsError(f"{path} is no CSV in UTF-8: {error}") from error
    columns = tuple(head[place] for place in places)
    return columns, np.array(rows, np.float64).reshape(len(rows), len(columns)), named


def _npz(path: Path, labelled: bool) -> tuple[tuple[str, ...], Floats, list[str]]:
    try:
        # Sizes stand in the archive's own list: nothing is unpacked before they are known.
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(one.file_size for one in archive.infolist())
        if unpacked > 8 * MAX_VALUES:
            raise TextsError(f"{path} unpacks to {unpacked:,} bytes, at most {8 * MAX_VALUES:,}")
        with np.load(path, allow_pickle=False) as arrays:
            missing = [name for name in ("x", *(("y",) if labelled else ())) if name not in arrays]
            if missing:
                raise TextsError(f"{path} has no array {' and none '.join(missing)}")
            x = np.asarray(arrays["x"])
            y = np.asarray(arrays["y"]) if labelled else np.zeros(x.shape[:1], np.int64)
            names = arrays["columns"] if "columns" in arrays else np.arange(x.shape[-1])
    except _NO_ARRAYS as error:
        raise TextsError(f"{path} is no .npz of arrays: {error}") from error
    if x.size > MAX_VALUES:  # of one byte each they are eight times as much in the end
        raise TextsError(f"{path} has {x.size:,} numbers, at most {MAX_VALUES:,}")
    if x.ndim != 2 or x.dtype.kind not in "biuf" or y.shape != x.shape[:1]:
        raise TextsError(
            f"{path}: x is {x.dtype} {x.shape} and y {y.shape}, wanted are (N, F) and (N,)"
        )
    if y.dtype.kind not in "iuU" or np.shape(names) != x.shape[1:]:
        raise TextsError(f"{path}: labels are whole numbers or text, and each column has one name")
    return tuple(map(str, names)), x.astype(np.float64), list(map(str, y.tolist()))
