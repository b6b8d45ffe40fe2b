"""Parquet files, row by row, by pyarrow, which nothing else imports.

What a file says of its sizes is looked at before anything of it is unpacked, and text that is
stored once for many rows stays so: a few kilobytes may stand for millions of long cells.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from offchain.data.imageset import DataError

MAX_UNPACKED = 1 << 30
"""Bytes that a file says it has, unpacked."""
MAX_GROUP = 256 << 20
"""The same of one row group, of which a column is unpacked at once."""
MAX_CELLS = 1 << 25
MAX_CELL = 64 << 10
"""Characters of one cell."""
BATCH = 1_024
"""Rows that are turned into cells at once."""


def parquet_rows(path: Path) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Names of the columns, and the rows with their numbers, from 1.

    Cells are text: numbers as Python writes them, True and False, dates in ISO form, nothing for
    null and for what is not a number. Raises DataError, one line, for what is no Parquet file, says
    that it is too large once unpacked, or has columns of other kinds.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(
            f"{path}: Parquet needs the package pyarrow: pip install pyarrow"
        ) from error
    opened: Any = parquet.ParquetFile
    try:
        file = opened(path)
        schema = file.schema_arrow
        texts = [field.name for field in schema if _is_text(pyarrow, field.type)]
        file = opened(path, read_dictionary=texts)
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _broken(path, error) from error
    for field in schema:
        if not _is_plain(pyarrow, field.type):
            raise DataError(f"{path}: column {field.name!r:.60} holds {field.type!s:.60}, no cells")
    about = file.metadata
    sizes = [about.row_group(i).total_byte_size for i in range(about.num_row_groups)]
    if sum(sizes) > MAX_UNPACKED or max(sizes, default=0) > MAX_GROUP:
        raise DataError(
            f"{path} unpacks to {sum(sizes):,} bytes, {max(sizes):,} of them at once; at most "
            f"{MAX_UNPACKED:,} and {MAX_GROUP:,} are read"
        )
    if about.num_rows * len(schema) > MAX_CELLS:
        raise DataError(
            f"{path} has {about.num_rows:,} rows of {len(schema)} columns, at most {MAX_CELLS:,} "
            "cells are read"
        )
    # The last two where Python has no such date or time zone.
    errors = (pyarrow.ArrowException, OSError, ValueError, OverflowError, LookupError)
    return list(schema.names), _rows(path, file, errors)


def _rows(
    path: Path, file: Any, errors: tuple[type[Exception], ...]
) -> Iterator[tuple[int, list[str]]]:
    number = 0
    try:
        for batch in file.iter_batches(batch_size=BATCH, use_threads=False):
            columns = [
                _cells(path, name, batch.column(i)) for i, name in enumerate(batch.schema.names)
            ]
            for cells in zip(*columns, strict=True):
                number += 1
                yield number, list(cells)
    except errors as error:
        if isinstance(error, DataError):
            raise
        raise _broken(path, error) from error


def _cells(path: Path, name: str, column: Any) -> list[str]:
    """A column's cells; text that is stored once is turned into a string once, and none that
    these rows do not have: each batch comes with all the text of its group."""
    if hasattr(column, "dictionary"):
        used = column.indices.unique().drop_null()
        values = column.dictionary.take(used).to_pylist()
        cells = (_told(path, name, value) for value in values)
        known = dict(zip(used.to_pylist(), cells, strict=True))
        return ["" if i is None else known[i] for i in column.indices.to_pylist()]
    return [_told(path, name, value) for value in column.to_pylist()]


def _told(path: Path, name: str, value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    text = str(value)
    if len(text) > MAX_CELL:
        raise DataError(
            f"{path}: a cell of {name!r:.60} has {len(text):,} characters, at most {MAX_CELL:,}"
        )
    return text


def _is_text(arrow: Any, kind: Any) -> bool:
    return bool(arrow.types.is_string(kind) or arrow.types.is_large_string(kind))


def _is_plain(arrow: Any, kind: Any) -> bool:
    """Whether a column's values are cells: numbers, text, truths, dates."""
    types = arrow.types
    if types.is_dictionary(kind):
        kind = kind.value_type
    plain = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean)
    return _is_text(arrow, kind) or any(of(kind) for of in (*plain, types.is_temporal))


def _broken(path: Path, error: Exception) -> DataError:
    return DataError(f"{path} is no Parquet file: {' '.join(str(error).split())[:120]}")
