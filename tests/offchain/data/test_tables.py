"""Tables in files: rows as they stand there, and hostile files that end in one line."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest

from offchain.data import tables
from offchain.data.imageset import DataError
from offchain.data.pictures import UnreadableError
from offchain.data.tables import MAX_ROW_BYTES, cells_of, load_table, record_of

PEOPLE = 'age,work,income\n39,"State, gov",<=50K\n50,,>50K\n38,Private,<=50K\n'


@pytest.fixture
def people(tmp_path) -> Path:
    """A small file."""
    return written(tmp_path, PEOPLE)


def written(folder: Path, content: str | bytes, name: str = "people.csv") -> Path:
    """A file of this content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_rows_become_records_as_they_stand_and_labels_go_by_name(people) -> None:
    rows = load_table(people, "income")
    assert rows.classes == ("<=50K", ">50K")
    assert rows.labels.tolist() == [0, 1, 0]
    assert rows.form.names == ("age", "work")
    assert rows.files == (b'39,"State, gov"', b"50,", b"38,Private")
    assert rows.distinct() == 3


@pytest.mark.parametrize(
    "written_as",
    [
        PEOPLE.replace("\n", "\r\n").encode(),
        PEOPLE.encode("utf-8-sig"),
        PEOPLE.replace("\n", "\n\n").encode(),
        PEOPLE.strip().encode(),
    ],
    ids=["CRLF", "BOM", "empty lines", "no last line end"],
)
def test_how_lines_end_and_begin_changes_nothing(people, tmp_path, written_as) -> None:
    other = load_table(written(tmp_path, written_as, "other.csv"), "income")
    assert other.files == load_table(people, "income").files


HOSTILE = {
    "a row of columns without end": (
        b",".join(b"c%d" % i for i in range(200_000)),
        "the line of names has",
    ),
    "many columns": (b",".join(b"c%d" % i for i in range(2_000)) + b"\n", "2000 columns, must be"),
    "an endless cell": (b"a,label\n" + b'"' + b"x" * (1 << 18), "row 1 has more than 65,536 bytes"),
    "a cell of lines": (b"a,label\n" + b'"' + b"x\n" * (1 << 16), "row 1 has more than 65,536"),
    "a row of lines": (b"a,label\n" + b'"\n",' * (1 << 15), "row 1 has more than 65,536 bytes"),
    "zeros": (b"a,label\n1\0,x\n", "row 1 holds a byte of zero"),
    "UTF-16": ("a,label\n1,x\n".encode("utf-16"), "is written in UTF-16: save it as UTF-8"),
    "Latin-1": ("a,label\nß,x\n".encode("latin-1"), "row 1 is not written in UTF-8"),
    "twice a name": (b"a,a,label\n1,2,x\n", "the column 'a' stands there twice"),
    "no name": (b"a,,label\n1,2,x\n", "column 2 has a name of 0 characters"),
    "no label": (b"a,b\n1,2\n", "has no column 'label'; it has a, b"),
    "label alone": (b"label\nx\n", "no column besides the label"),
    "too few cells": (b"a,label\n1,x\n2\n", "row 2: 1 cells under 2 columns"),
    "empty label": (b"a,label\n1, \n", "row 1: no label under 2 columns"),
    "open quote": (b'a,label\n"1,x\n', "is no CSV: unexpected end of data"),
    "no rows": (b"a,label\n", "has no row"),
    "nothing": (b"", "has 0 columns"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(99), "is not written in UTF-8"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_end_in_one_line_and_little_memory(tmp_path, what: str) -> None:
    content, words = HOSTILE[what]
    path = written(tmp_path, content)
    tracemalloc.start()
    try:
        with pytest.raises(DataError) as refusal:
            load_table(path, "label")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert peak < 8 << 20


def test_a_file_that_is_too_large_is_not_opened(people, monkeypatch) -> None:
    monkeypatch.setattr(tables, "MAX_FILE_BYTES", 20)
    with pytest.raises(DataError, match="at most 20 are read"):
        load_table(people, "income")


def test_more_rows_than_are_held_are_refused(people, monkeypatch) -> None:
    monkeypatch.setattr(tables, "MAX_ROWS", 2)
    with pytest.raises(DataError, match="more than 2 rows of 2 columns"):
        load_table(people, "income")


def test_broken_rows_are_left_out_where_that_is_asked_for(tmp_path) -> None:
    told: list[str] = []
    path = written(tmp_path, "a,label\n1,x\n2\n3,y\n4,\n")
    rows = load_table(path, "label", skip_broken=True, note=lambda one: told.append(str(one)))
    assert rows.files == (b"1", b"3")
    assert told == [f"{path}: left out rows that cannot be read (2): row 2, row 4"]


@pytest.mark.parametrize(
    "record",
    [b'"a",b', b"a,b,c", b"a", b"a,b\nc,d", b'"a,b', b"\xff,b", b"", b"x" * (MAX_ROW_BYTES + 1)],
)
def test_bytes_that_are_no_record_in_its_one_form_are_refused(record) -> None:
    """Two records that show the same would else be told apart by how they are written."""
    with pytest.raises(UnreadableError):
        cells_of(record, 2, "it")


def test_a_record_gives_its_cells_back() -> None:
    cells = ["a,b", 'say "x"', "two\nlines", " ", ""]
    assert cells_of(record_of(cells), 5, "it") == cells
