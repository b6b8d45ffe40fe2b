"""Rows of numbers as samples: what is read, what is refused, and by whom a threshold is said."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from offchain.sum.columns import Columns, Row, read_table
from offchain.sum.described import fetch_preprocessing, preprocessing_of
from offchain.sum.preprocessing import DOCUMENT, PreprocessingError
from offchain.sum.texts import Sample, TextsError, samples
from offchain.task import Task
from tests.kit.memory_store import MemoryStore

CSV = "age,label,member\n20,no,0\n30,yes,1\n40,yes,1\n"


def csv(folder, content=CSV):
    path = folder / "some.csv"
    path.write_text(content)
    return path


def npz(folder, **arrays):
    path = folder / "some.npz"
    np.savez(path, **arrays)
    return path


def test_a_column_is_active_above_its_median_and_zeros_and_ones_above_the_middle(tmp_path):
    table = read_table(csv(tmp_path))
    assert (table.classes, table.labels) == (("no", "yes"), (0, 1, 1))
    rule = Columns.of(table.texts)
    assert (rule.vocabulary, rule.above) == (("age", "member"), (30.0, 0.5))
    assert [rule.features(row) for row in table.texts] == [(), (1,), (0, 1)]
    assert samples(table, rule, 2, lambda _: None) == [Sample((1,), 1), Sample((0, 1), 1)]


def test_arrays_are_rows_as_well_and_an_order_of_columns_of_ones_own_is_no_matter(tmp_path):
    rule = Columns(("age", "member"), (30.0, 0.5))
    x = np.array([[0, 20], [1, 40]], np.float32)
    named = read_table(npz(tmp_path, x=x, y=np.array(["no", "yes"]), columns=["member", "age"]))
    assert [rule.features(row) for row in named.texts] == [(), (0, 1)]
    plain = read_table(npz(tmp_path, x=x, y=np.array([3, 7])))
    assert (plain.classes, plain.texts[0].columns) == (("3", "7"), ("0", "1"))
    assert read_table(npz(tmp_path, x=x), labelled=False).labels == ()


def test_columns_that_the_task_has_not_are_named():
    rule = Columns(("age", "member"), (30.0, 0.5))
    for columns, why in (
        (("age",), "lacks 1 columns: member"),
        (("age", "member", "x"), "has besides the task's 1 columns: x"),
    ):
        with pytest.raises(TextsError, match=why):
            rule.features(Row(1, columns, np.zeros(len(columns))))


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("age,member\n1,2\n", "no column label"),
        ("age,label\n", "has no rows"),
        ("age,label\n1\n", "line 2: 1 cells under 2 columns"),
        ("age,label\nold,yes\n", "line 2: could not convert"),
        ("age,label\n1,\n", "line 2: there is no label"),
        ("age,label\nnan,yes\n", "row 1: 'age' is no finite number"),
        ("age,age,label\n1,2,yes\n", "2 columns, must be 1 to 65536 by name"),
        ("label\nyes\n", "0 columns"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, content, why):
    with pytest.raises(TextsError, match=why):
        read_table(csv(tmp_path, content))


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"y": np.zeros(2)}, "has no array x"),
        ({"x": np.zeros((2, 3))}, "has no array y"),
        ({"x": np.zeros(2), "y": np.zeros(2, int)}, r"wanted are \(N, F\) and \(N,\)"),
        ({"x": np.zeros((2, 3)), "y": np.zeros(3, int)}, "wanted are"),
        ({"x": np.zeros((2, 3)), "y": np.zeros(2)}, "labels are whole numbers or text"),
        ({"x": np.zeros((1, 2)), "y": np.zeros(1, int), "columns": ["a"]}, "one name"),
        ({"x": np.array([[object()]]), "y": np.zeros(1, int)}, "is no .npz of arrays"),
    ],
)
def test_arrays_of_another_kind_are_refused_and_nothing_in_them_is_run(tmp_path, arrays, why):
    with pytest.raises(TextsError, match=why):
        read_table(npz(tmp_path, **arrays))


def packed(path, head: dict, data: bytes = b"") -> bytes:
    """An archive of one array `x` whose header says `head`, whatever `data` there is."""
    array = io.BytesIO()
    np.lib.format.write_array_header_1_0(array, {"fortran_order": False} | head)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", array.getvalue() + data)
    return path.read_bytes()


@pytest.mark.parametrize("shape", [(2**45, 1), (2**70, 2), (2, 2), ()])
def test_a_shape_that_the_data_does_not_have_is_refused(tmp_path, shape):
    """Else who is given a file is told of a fault in the program."""
    packed(tmp_path / "x.npz", {"descr": "<f8", "shape": shape})
    with pytest.raises(TextsError, match=r"is no \.npz of arrays"):
        read_table(tmp_path / "x.npz", labelled=False)


@pytest.mark.parametrize(("local", "central", "value"), [(6, 8, 1), (8, 10, 99), (36, None, 255)])
def test_an_archive_that_cannot_be_unpacked_is_refused(tmp_path, local, central, value):
    """Encrypted, packed in a way that nobody knows, and packed wrongly."""
    content = packed(tmp_path / "x.npz", {"descr": "<f8", "shape": (1, 1)}, bytes(8))
    broken = bytearray(content)
    broken[local] = value
    if central is not None:
        broken[content.index(b"PK\x01\x02") + central] = value
    (tmp_path / "x.npz").write_bytes(broken)
    with pytest.raises(TextsError, match=r"is no \.npz of arrays"):
        read_table(tmp_path / "x.npz", labelled=False)


def test_a_file_that_is_or_unpacks_to_too_much_is_not_read(tmp_path, monkeypatch):
    """Not even opened, or not unpacked: zeros pack a thousandfold."""
    path = npz(tmp_path, x=np.zeros((100, 4)))
    monkeypatch.setattr(np, "load", None)
    monkeypatch.setattr("offchain.sum.columns.MAX_VALUES", 400)
    with pytest.raises(TextsError, match="unpacks to 3,328 bytes, at most 3,200"):
        read_table(path, labelled=False)
    monkeypatch.setattr("offchain.sum.texts.MAX_FILE_BYTES", 40)
    for one in (path, csv(tmp_path, CSV)):
        with pytest.raises(TextsError, match=r"has [\d,]+ bytes, at most 40 are read"):
            read_table(one)


def test_numbers_of_one_byte_are_as_many_as_others(tmp_path, monkeypatch):
    """They take eight as they are used: a file of 2 MB would take 16 GB of memory."""
    monkeypatch.setattr("offchain.sum.columns.MAX_VALUES", 400)
    assert len(read_table(npz(tmp_path, x=np.ones((100, 4), np.int8)), labelled=False)) == 100
    with pytest.raises(TextsError, match="404 numbers, at most 400"):
        read_table(npz(tmp_path, x=np.ones((101, 4), np.int8)), labelled=False)


def test_the_rule_is_read_back_by_whoever_has_the_task():
    rule, store = Columns(("age", "member"), (30.25, 0.5)), MemoryStore({})
    cid = store.put(rule.to_bytes())
    task = Task("table", ("no", "yes"), (2,), "MIT", documents={DOCUMENT: cid})
    assert fetch_preprocessing(store, task) == rule
    other = Task("table", ("no", "yes"), (3,), "MIT", documents={DOCUMENT: cid})
    with pytest.raises(PreprocessingError, match="2 columns, the task has"):
        preprocessing_of(other, rule.to_bytes())
    with pytest.raises(PreprocessingError):
        preprocessing_of(Task("text", ("a", "b"), (), "MIT"), rule.to_bytes())


@pytest.mark.parametrize(
    ("columns", "above"),
    [((), ()), (("a",), ()), (("a", "a"), (0.0, 1.0)), (("a",), (float("inf"),)), (("",), (0.0,))],
)
def test_what_makes_no_rule_is_none(columns, above):
    with pytest.raises(PreprocessingError):
        Columns(columns, above)
