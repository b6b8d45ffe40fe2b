"""Parquet files: the same rows as of CSV, and bombs that are refused before they go off."""

from __future__ import annotations

import resource
import tracemalloc

import pyarrow
import pytest
from pyarrow import parquet

from offchain.data import parquet as parquet_file
from offchain.data import tables
from offchain.data.imageset import DataError
from offchain.data.parquet import BATCH
from offchain.data.tables import load_table

PEOPLE = 'age,work,income\n39,"State, gov",<=50K\n50,,>50K\n38,Private,<=50K\n'


def test_parquet_gives_the_same_records(tmp_path) -> None:
    (tmp_path / "people.csv").write_text(PEOPLE)
    table = pyarrow.table(
        {
            "age": [39, 50, 38],
            "work": ["State, gov", None, "Private"],
            "income": pyarrow.array(["<=50K", ">50K", "<=50K"]).dictionary_encode(),
        }
    )
    parquet.write_table(table, tmp_path / "people.parquet")
    rows = load_table(tmp_path / "people.parquet", "income")
    assert rows.files == load_table(tmp_path / "people.csv", "income").files
    assert rows.labels.tolist() == [0, 1, 0]


def test_a_parquet_bomb_is_refused_before_it_is_unpacked(tmp_path) -> None:
    """One long text for many rows: some kilobytes that stand for many gigabytes."""
    path, rows = tmp_path / "bomb.parquet", 1 << 14
    long = pyarrow.DictionaryArray.from_arrays(
        pyarrow.array([0] * rows, pyarrow.int32()), ["x" * (1 << 20)]
    )
    parquet.write_table(pyarrow.table({"a": long, "label": long}), path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError, match="a cell of 'a' has 1,048,576 characters"):
        load_table(path, "label")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10  # KiB
    assert path.stat().st_size < 4 << 20


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"a": [[1], [2]], "label": ["x", "y"]}, "column 'a' holds list"),
        ({"a": [b"1", b"2"], "label": ["x", "y"]}, "column 'a' holds binary"),
    ],
)
def test_parquet_columns_that_are_no_cells_are_refused(tmp_path, content, words) -> None:
    parquet.write_table(pyarrow.table(content), tmp_path / "odd.parquet")
    with pytest.raises(DataError, match=words):
        load_table(tmp_path / "odd.parquet", "label")


def test_what_is_no_parquet_file_is_told(tmp_path) -> None:
    path = tmp_path / "people.parquet"
    path.write_text(PEOPLE)
    with pytest.raises(DataError, match="is no Parquet file"):
        load_table(path, "income")


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (2**31 - 1, pyarrow.date32()),
        (2**62, pyarrow.timestamp("us")),
        (2**62, pyarrow.duration("s")),
        (2**62, pyarrow.time64("us")),
        (1, pyarrow.timestamp("us", tz="No/Where")),
    ],
    ids=str,
)
def test_times_that_python_does_not_have_end_in_one_line(tmp_path, number, kind) -> None:
    width = pyarrow.int32() if kind == pyarrow.date32() else pyarrow.int64()
    column = pyarrow.array([number], width).cast(kind)
    parquet.write_table(pyarrow.table({"a": column, "label": ["x"]}), tmp_path / "odd.parquet")
    with pytest.raises(DataError, match="is no Parquet file"):
        load_table(tmp_path / "odd.parquet", "label")


@pytest.mark.parametrize("column", ["a", "label"])
def test_rows_of_text_that_is_stored_once_are_not_held_without_end(
    tmp_path, monkeypatch, column: str
) -> None:
    """Some kilobytes that stand for four million rows of 60 kB each: 240 GB."""
    monkeypatch.setattr(tables, "MAX_HELD_BYTES", 1 << 23, raising=False)
    path, rows = tmp_path / "bomb.parquet", 1 << 10
    long = pyarrow.DictionaryArray.from_arrays(
        pyarrow.array([0] * rows, pyarrow.int32()), ["x" * 60_000 + " "]
    )
    short = pyarrow.array(["1"] * rows)
    content = {"a": short, "label": short} | {column: long}
    parquet.write_table(pyarrow.table(content), path)
    assert path.stat().st_size < 1 << 17
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="140 rows have more than 8,388,608 bytes"):
            load_table(path, "label")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 12 << 20


def test_text_that_no_row_has_is_not_turned_into_strings_for_each_batch(
    tmp_path, monkeypatch
) -> None:
    """Of a million texts and four million rows that would be hours."""
    path, rows, texts = tmp_path / "slow.parquet", 4 * BATCH, 5_000
    many = pyarrow.DictionaryArray.from_arrays(
        pyarrow.array([7] * (rows - 1) + [None], pyarrow.int32()), [str(i) for i in range(texts)]
    )
    parquet.write_table(pyarrow.table({"a": many, "label": ["x"] * rows}), path)
    made: list[str] = []
    told = parquet_file._told
    monkeypatch.setattr(parquet_file, "_told", lambda *one: made.append("") or told(*one))
    assert set(load_table(path, "label").files) == {b"7", b'""'}
    assert len(made) <= 16
