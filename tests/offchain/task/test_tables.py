"""Tables and tasks: columns by name on everybody's own side, cells that mean the same to all."""

from __future__ import annotations

import csv
import unicodedata
from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np
import pytest
import torch

from offchain.data.corruptions import Corruption, corrupt_records
from offchain.data.imageset import DataError
from offchain.data.originals import Originals, print_of
from offchain.data.pictures import UnreadableError
from offchain.data.tables import load_table
from offchain.task import Task, TaskError
from offchain.task.columns import CATEGORY, LARGEST, NUMBER, Column, width_of
from offchain.task.errors import ColumnsUnknown, OfferRefused
from offchain.task.forms import as_author, form_asked, form_offered, said
from offchain.task.images import offer_of, relabelled
from offchain.task.tables import Table, fitted

AGE = Column("age", NUMBER, (), 40.0, 10.0)
WORK = Column("work", CATEGORY, ("Private", "State"))
ASKED = Table((AGE, WORK))
TASK = Task("table", ("no", "yes"), (2,), "MIT", columns=(AGE, WORK))


def table(folder: Path, names: list[str], *rows: list[object]) -> Originals:
    """Rows of a file, whose last column is the label."""
    with (folder / "mine.csv").open("w", newline="") as file:
        csv.writer(file).writerows([[*names, "label"], *rows])
    return load_table(folder / "mine.csv", "label")


def test_a_task_says_its_columns_and_reads_them_back() -> None:
    assert Task.from_bytes(TASK.to_bytes()) == TASK
    assert b"columns" not in replace(TASK, columns=()).to_bytes()


def test_cells_become_numbers_by_the_task_alone(tmp_path) -> None:
    """Whatever the order of the columns, and whatever else is there."""
    rows = table(
        tmp_path,
        ["work", "id", "age"],
        ["State", 7, 50, "no"],
        [" Private ", 8, "3.0e1", "no"],
        ["", 9, "", "yes"],
        ["State", 9, 1e9, "yes"],
        ["State", 9, -1e9, "yes"],
    )
    told: list[str] = []
    mine = fitted(rows, ASKED, note=lambda one: told.append(f"{one.what}: {', '.join(one.names)}"))
    assert mine.inputs.tolist() == [
        [1, 0, 1],
        [-1, 1, 0],
        [0, 0, 0],
        [LARGEST, 0, 1],
        [-LARGEST, 0, 1],
    ]
    assert mine.files[1] == b"3.0e1, Private "
    assert told == ["columns that the task does not have: id"]
    assert offer_of(mine).shape == TASK.shape


def test_missing_columns_are_named_with_what_was_perhaps_meant(tmp_path) -> None:
    rows = table(tmp_path, ["Age", "height"], [1, 2, "no"])
    with pytest.raises(ColumnsUnknown, match=r"not have: 'age' \(perhaps 'Age'\), 'work'; it has"):
        fitted(rows, ASKED)


def test_a_column_that_is_called_otherwise_is_said(tmp_path) -> None:
    rows = table(tmp_path, ["years", "work"], [50, "State", "no"])
    assert fitted(rows, ASKED, {"years": "age"}).files == (b"50,State",)
    with pytest.raises(TaskError, match="there is no column 'year'"):
        fitted(rows, ASKED, {"year": "age"})
    with pytest.raises(TaskError, match="'work' is there twice"):
        fitted(rows, ASKED, {"years": "work"})


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ([1, "state"], r"row 2, column 'work': 'state' is none of its 2 categories.*perhaps"),
        (["old", "State"], "row 2, column 'age': 'old' is no number"),
        (["=1+1", "State"], "'=1.1' is no number"),
        (["nan", "State"], "is no number"),
        (["inf", "State"], "is no number"),
        (["1_000", "State"], "is no number"),
        (["1e999", "State"], "is no number"),
        (["٣", "State"], "is no number"),
        (["9" * 65, "State"], "is no number"),
        ([1, "=cmd|' /C calc'!A0"], "is none of its 2 categories"),
    ],
)
def test_a_cell_that_the_task_does_not_know_is_refused_by_row_and_column(
    tmp_path, row, words
) -> None:
    rows = table(tmp_path, ["age", "work"], [1, "State", "no"], [*row, "no"])
    with pytest.raises(UnreadableError, match=words) as refusal:
        fitted(rows, ASKED)
    assert "\n" not in str(refusal.value)


def test_an_author_asks_for_what_can_be_learned(tmp_path) -> None:
    """Numbers with mean and spread of its own rows, categories by name; the rest is told."""
    rows = table(
        tmp_path,
        ["age", "work", "id", "same"],
        *[
            [i % 7, ("State", "Private")[i % 2], f"p{i}", "x", ("no", "yes")[i % 2]]
            for i in range(300)
        ],
    )
    told: list[str] = []
    mine = as_author(rows, lambda one: told.append(f"{one.what}: {', '.join(one.names)}"))
    age, work = mine.form.columns
    assert (work.kind, work.categories) == (CATEGORY, ("Private", "State"))
    assert age.mean == pytest.approx(np.mean([i % 7 for i in range(300)]))
    assert mine.inputs[:, 0].std(correction=0) == pytest.approx(1, rel=1e-5)
    assert told == [
        "columns of more than 256 categories: id",
        "columns that are the same in all rows: same",
    ]
    task = Task(classes=mine.classes, licence="MIT", **said(mine.form))
    assert form_asked(Task.from_bytes(task.to_bytes()), rows.form, None) == mine.form


@pytest.mark.parametrize("distinct", [10, 11])
def test_categories_are_in_two_rows_each_on_average(tmp_path, distinct) -> None:
    """Twenty rows of ten are learned from; of eleven they are names."""
    rows = [[i % 5, f"town {i % distinct}", ("no", "yes")[i % 2]] for i in range(20)]
    mine = as_author(table(tmp_path, ["age", "town"], *rows), lambda one: None)
    assert len(mine.form.columns) == (2 if distinct == 10 else 1)


def test_names_of_people_are_no_categories(tmp_path) -> None:
    rows = [[i % 5, f"id {i}", ("no", "yes")[i % 2]] for i in range(100)]
    mine = as_author(table(tmp_path, ["age", "person"], *rows), lambda _: None)
    assert [column.name for column in mine.form.columns] == ["age"]


def test_labels_and_columns_go_by_name_together(tmp_path) -> None:
    rows = relabelled(table(tmp_path, ["work", "age"], ["State", 1, "yes"]), TASK.classes)
    mine = fitted(rows, ASKED)
    assert (mine.labels.tolist(), mine.files) == ([1], (b"1,State",))


def test_nothing_that_can_be_learned_is_refused(tmp_path) -> None:
    with pytest.raises(DataError, match="no column of which anything can be learned"):
        as_author(table(tmp_path, ["same"], [1, "no"], [1, "yes"]), lambda _: None)


def test_another_modality_or_shape_is_refused(tmp_path) -> None:
    rows = table(tmp_path, ["age", "work"], [1, "State", "no"])
    with pytest.raises(OfferRefused, match="modality: table, images are asked for"):
        form_asked(Task("images", ("a",), (1, 8, 8), "MIT"), rows.form, None)
    with pytest.raises(OfferRefused, match=r"shape: \[3\]"):
        form_offered(TASK, (3,), None)


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ({"name": ""}, "0 characters"),
        ({"name": "a\u202eb"}, "has the character"),
        ({"name": "=1+2"}, "is a formula to a spreadsheet"),
        ({"kind": "date"}, "a column is a number or a category, not 'date'"),
        ({"spread": 0.0}, "the spread of 'age' is 0.0"),
        ({"spread": 1}, "the spread of 'age' is 1"),
        ({"mean": float("nan")}, "the mean of 'age' is nan"),
        ({"kind": CATEGORY}, "has 0 categories"),
        ({"categories": ("a",)}, "has 1 categories"),
        ({"kind": CATEGORY, "categories": ("b", "a")}, "not sorted"),
        ({"kind": CATEGORY, "categories": ("@x",)}, "is a formula"),
        ({"kind": CATEGORY, "categories": ("\uff1d1+1",)}, "is a formula"),
        ({"kind": CATEGORY, "categories": tuple(f"{i:03d}" for i in range(257))}, "at most 256"),
    ],
)
def test_columns_that_no_task_can_have_are_refused(column, words) -> None:
    with pytest.raises(TaskError, match=words):
        replace(AGE, **column)


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ((AGE, AGE), "the column 'age' stands there twice"),
        (tuple(replace(AGE, name=f"c{i}") for i in range(513)), "513 columns, must be 1 to 512"),
    ],
)
def test_tasks_of_too_many_or_equal_columns_are_refused(columns, words) -> None:
    with pytest.raises(TaskError, match=words):
        Task("table", ("no", "yes"), (len(columns),), "MIT", columns=columns)


def test_columns_stand_in_tables_alone() -> None:
    with pytest.raises(TaskError, match="2 columns of text"):
        Task("text", ("no", "yes"), (), "MIT", columns=(AGE, WORK))
    with pytest.raises(TaskError, match="2 columns of table of"):
        Task("table", ("no", "yes"), (3,), "MIT", columns=(AGE, WORK))


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (b"null", "columns are a list of 1 or more, not None"),
        (b"[]", "columns are a list of 1 or more"),
        (b"{}", "columns are a list of 1 or more"),
        (b"[1]", "a column is an object, not 1"),
        (b'[{"kind":"number","name":"a"}]', "wrong or missing: .'mean', 'spread'."),
    ],
)
def test_columns_that_are_none_are_refused_in_an_untrusted_task(columns, words) -> None:
    """Of `null`, too: the same task would have a second digest."""
    bare = replace(TASK, columns=()).to_bytes()
    with pytest.raises(TaskError, match=words):
        Task.from_bytes(bare.replace(b'"contact"', b'"columns":' + columns + b',"contact"'))


@pytest.mark.parametrize(
    "kind", ["noise:0.5", "remove:0.5", "decimate:4", "dope:0.5", "mislabel:1"]
)
def test_rows_are_made_worse_and_stay_what_the_task_asks_for(tmp_path, kind) -> None:
    rows = [[i, ("State", "Private")[i % 2], ("no", "yes")[i % 2]] for i in range(40)]
    mine = as_author(table(tmp_path, ["age", "work"], *rows))
    worse = corrupt_records(mine, Corruption.parse(kind), seed=1)
    assert worse.inputs.shape == mine.inputs.shape
    same = kind.startswith("mislabel")
    assert (worse.files == mine.files) is same
    assert torch.equal(worse.labels, mine.labels) is not same
    again = corrupt_records(mine, Corruption.parse(kind), seed=1)
    assert again.files == worse.files
    assert again.prints == worse.prints


@pytest.mark.parametrize(
    ("kind", "cells"),
    [("decimate:1", ["39", "", "52"]), ("decimate:5", ["40.0", "", "60.0"])],
)
def test_numbers_are_rounded_to_half_a_spread_for_each_factor_above_one(
    tmp_path, kind, cells
) -> None:
    """The spread is 10, so that five is to twenties about the mean; nothing is made of nothing."""
    rows = [[cell, "State", "no"] for cell in ("39", "", "52")]
    worse = corrupt_records(
        fitted(table(tmp_path, ["age", "work"], *rows), ASKED), Corruption.parse(kind), seed=1
    )
    assert worse.files == tuple(f"{cell},State".encode() for cell in cells)


def test_a_kind_that_tables_do_not_have_is_refused() -> None:
    with pytest.raises(DataError, match="blur is nothing that is done to tables"):
        ASKED.corrupted([b"39,State"], "blur", 0.5, np.random.default_rng(0))


def test_a_row_becomes_as_many_numbers_as_the_columns_say() -> None:
    """An extractor makes one of two columns, and one at least."""
    assert width_of((AGE, WORK)) == 3 == ASKED.values[0]
    assert [Table((AGE,) * count).most_features for count in (1, 2, 3, 4)] == [1, 1, 1, 2]


@pytest.mark.parametrize("cell", ["-0", "-0.0", "+0e9", "-1e-60", " 1e-60", ".0"])
def test_one_number_in_two_spellings_is_one_row(cell: str) -> None:
    """Else a row could be sold twice: prints are of what rows become, bit by bit."""
    asked = Table((replace(AGE, mean=0.0),))
    assert print_of(asked.decoded(cell.encode(), "it")) == print_of(asked.decoded(b"0", "it"))


@pytest.mark.parametrize("spaces", [0, 900])
def test_marks_piled_up_on_a_letter_take_no_time(tmp_path, spaces: int) -> None:
    """A shard may have 512 such rows, a file 4,096, and nobody looked at them before an export."""
    piled = " " * spaces + "a" + "\u0301" * 14_000 + "\u0323" * 14_000
    rows = table(tmp_path, ["age", "work"], [1, "State", "no"], [1, piled, "no"], [2, "S", piled])
    before = process_time()
    with pytest.raises(UnreadableError, match="row 2, column 'work': 'a"):
        fitted(rows, ASKED)
    with pytest.raises(TaskError, match=r"2800\d characters, must be 1 to 200"):
        as_author(rows, lambda _: None)
    assert process_time() - before < 1


def test_a_category_counts_however_it_is_composed() -> None:
    """As long as a name may be, with spaces at either end of a cell."""
    name = "\u1f82" * 200  # four characters each, decomposed
    asked = Table((replace(WORK, categories=(name,)),))
    cell = " " * 900 + unicodedata.normalize("NFD", name)
    assert len(cell) == 1_700
    assert asked.decoded(cell.encode(), "it").tolist() == [1]


def test_no_category_is_a_formula_once_it_is_decomposed() -> None:
    """U+2260 decomposes to an equals sign with a stroke through it."""
    asked = Table((replace(WORK, categories=("\u2260cmd|x",)),))
    assert asked.decoded("\u2260cmd|x".encode(), "it").tolist() == [1]
    with pytest.raises(UnreadableError, match="is none of its 1 categories"):
        asked.decoded("=\u0338cmd|x".encode(), "it")


def test_no_class_of_a_table_is_a_formula() -> None:
    """It heads each row of what is exported. Numbers are none, and pictures lie in no table."""
    with pytest.raises(TaskError, match="class '=1' is a formula to a spreadsheet"):
        replace(TASK, classes=("=1", "yes"))
    assert replace(TASK, classes=("-1", "<=50K")).classes == ("-1", "<=50K")
    assert Task("images", ("=1", "yes"), (1, 8, 8), "MIT").classes == ("=1", "yes")


@pytest.mark.parametrize("numbers", [[8.5, 0, 1], [-1e30, 0, 1], [0, 1, 1], [0, 0.5, 0]])
def test_numbers_that_no_row_becomes_are_no_row(numbers: list[float]) -> None:
    """A seller of numbers may have put them together; whoever bought them is told."""
    with pytest.raises(UnreadableError, match=r"beyond 8 spreads|no such category"):
        ASKED.record_of(torch.tensor(numbers))
    assert ASKED.record_of(torch.tensor([-8.0, 1, 0])) == b"-40,Private"
