"""Bought rows as a folder: lines for people, and the chunks that the sale is held against."""

from __future__ import annotations

import pytest
import torch

from offchain.data.imageset import DataError
from offchain.mde.purchase import Bought, kind_of
from offchain.mde.row_folder import read_rows, write_rows
from offchain.mde.samples import Samples
from offchain.mde.verifiable.encoding import Encoding
from offchain.task import Task
from offchain.task.columns import CATEGORY, NUMBER, Column

AGE = Column("label", NUMBER, (), 40.0, 10.0)
WORK = Column("work", CATEGORY, ("Private", "State"))
TASK = Task("table", ("no", "yes"), (2,), "MIT", columns=(AGE, WORK))


def bought(*rows: tuple[float, ...]) -> Bought:
    """Rows of the task's numbers, the first of which is of the class yes."""
    labels = torch.tensor([1, *[0] * (len(rows) - 1)])
    samples = Samples(torch.tensor(rows, dtype=torch.float32), labels)
    chunks = Encoding.of(kind_of(TASK)).pack(samples)
    return Bought(samples, [], chunks, (), bytes(32), "")


def test_rows_are_written_for_people_and_read_back_as_they_were_sold(tmp_path) -> None:
    """A class stands beside a column of its name; a row that no table has is left out, by place."""
    one = bought((1.0, 0.0, 1.0), (0.0, 1.0, 1.0), (-2.0, 0.0, 0.0))
    assert write_rows(one, TASK, tmp_path / "rows") == (1,)
    lines = (tmp_path / "rows" / "records.csv").read_text().splitlines()
    assert lines == ["label_,label,work", "yes,50,State", "no,20,"]
    read = read_rows(tmp_path / "rows", TASK)
    assert torch.equal(read.inputs, one.samples.inputs)
    assert torch.equal(read.labels, one.samples.labels)
    with pytest.raises(DataError, match="exists: name a folder that does not"):
        write_rows(one, TASK, tmp_path / "rows")


def test_a_category_is_one_whole_one_or_none(tmp_path) -> None:
    """Half of each, or twice one, is no row that anybody has."""
    one = bought((0.0, 0.5, 0.5), (0.0, 2.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.5, 0.0))
    assert write_rows(one, TASK, tmp_path / "rows") == (0, 1, 3)


def test_a_folder_without_its_chunks_is_named(tmp_path) -> None:
    write_rows(bought((0.0, 1.0, 0.0)), TASK, tmp_path / "rows")
    (tmp_path / "rows" / "samples.bin").write_bytes(b"")
    with pytest.raises(DataError, match="rows has no samples that can be read"):
        read_rows(tmp_path / "rows", TASK)
