"""Bought rows as a folder: the numbers that were priced and sold, and the rows that they stand for.

`samples.bin` has the samples' chunks, against which the sale is held. `records.csv` is for people:
the class and the task's columns, each row as its numbers tell it (`Table.record_of`). A sample that
stands for no row of the task is left out of it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from offchain.data.imageset import DataError
from offchain.data.pictures import UnreadableError
from offchain.data.records_file import ROWS, heading, row_of
from offchain.files import write_whole
from offchain.mde.purchase import Bought, kind_of
from offchain.mde.samples import Samples
from offchain.mde.verifiable.encoding import Encoding
from offchain.task import Task
from offchain.task.tables import Table

SAMPLES = "samples.bin"


def write_rows(bought: Bought, task: Task, folder: Path) -> tuple[int, ...]:
    """Writes both files, whole or not at all. Returns the places of samples that stand for no row.

    Raises DataError when `folder` exists.
    """
    if folder.exists():
        raise DataError(f"{folder} exists: name a folder that does not")
    beside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        write_whole(beside / SAMPLES, bought.chunks)
        rows, odd = _rows(bought.samples, task) if task.columns else ([], ())
        if rows:
            write_whole(beside / ROWS, b"".join(rows))
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return odd


def read_rows(folder: Path, task: Task) -> Samples:
    """The samples of a folder, as they were sold. Raises DataError, MdeError."""
    kind = kind_of(task)
    try:
        return Encoding.of(kind).unpack((folder / SAMPLES).read_bytes(), kind)
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} has no samples that can be read: {error}") from error


def _rows(samples: Samples, task: Task) -> tuple[list[bytes], tuple[int, ...]]:
    """Lines of the table, the first of which names the columns, and samples that are none."""
    table = Table(task.columns)
    lines, odd = [heading([column.name for column in task.columns])], []
    for i, (numbers, of) in enumerate(zip(samples.inputs, samples.labels.tolist(), strict=True)):
        try:
            record = table.record_of(numbers)
        except UnreadableError:
            odd.append(i)
        else:
            lines.append(row_of(task.classes[of], record))
    return lines, tuple(odd)
