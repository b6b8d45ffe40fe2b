"""Bought rows and texts as one file: what comes back is what was sold, byte by byte."""

from __future__ import annotations

from pathlib import Path

import pytest

from offchain.data.imageset import DataError
from offchain.data.records_file import RecordsFile, records_in
from offchain.data.shards import Shard, pack_shard
from offchain.data.tables import load_table
from offchain.task import tables as task_tables
from offchain.task.columns import CATEGORY, NUMBER, Column
from offchain.task.tables import Table
from offchain.task.texts import Texts

CLASSES = ("no, never", "yes")
ROWS = Table((Column("age", NUMBER, (), 40.0, 10.0), Column("label", CATEGORY, ("a b", "c"))))
TEXTS = Texts(16)
SOLD = {
    "rows": (ROWS, [b"1.50, a b", b",", b'"=cmd|x",c', b'"open', b"\xff", b"3,c"]),
    "texts": (TEXTS, ["a\nfilm", '"=1+1"', "é", "x" * 99, "\x00", "y"]),
}


def sold(kind: str) -> tuple[Table | Texts, list[Shard]]:
    """Three shards of two records, some of which no task asked for."""
    form, records = SOLD[kind]
    files = [one if isinstance(one, bytes) else one.encode() for one in records]
    return form, [Shard(tuple(files[i : i + 2]), (0, 1)) for i in (0, 2, 4)]


def begun(folder: Path, form: Table | Texts, about: bytes = b"it") -> RecordsFile:
    """The file of some purchase."""
    names = [column.name for column in form.columns] if isinstance(form, Table) else []
    return RecordsFile(folder, CLASSES, form, names, about)


def back(folder: Path, form: Table | Texts) -> list[bytes]:
    """The plain shards."""
    return list(records_in(folder, CLASSES, form, 3, 2, lambda *_: None))


@pytest.mark.parametrize("kind", SOLD)
def test_what_is_read_back_is_what_was_sold(tmp_path, kind: str) -> None:
    """Whoever was killed after a shard, or in the middle of one, goes on."""
    form, shards = sold(kind)
    folder = tmp_path / "bought"
    for i, shard in enumerate(shards):
        file = begun(folder, form)
        assert file.done == i
        file.add(shard)
        with next(file.place.glob("records.*")).open("ab") as torn:
            torn.write(b"half a li")
    begun(folder, form).finish()
    assert back(folder, form) == [pack_shard(shard, CLASSES) for shard in shards]


def test_cells_that_are_none_of_the_tasks_stand_beside_the_table(tmp_path) -> None:
    """A formula that nobody looked at is in no file that a spreadsheet opens."""
    form, shards = sold("rows")
    file = begun(tmp_path / "bought", form)
    for shard in shards:
        file.add(shard)
    file.finish()
    table = tmp_path / "bought" / "records.csv"
    assert table.read_text() == 'label_,age,label\n"no, never",1.50, a b\nyes,,\nyes,3,c\n'
    assert sorted(path.name for path in (tmp_path / "bought/odd").iterdir()) == [
        *("2-0.bin", "3-1.bin", "4-0.bin"),
    ]
    assert load_table(table, "label_").files == (b"1.50, a b", b",", b"3,c")


def test_nobody_looks_for_what_a_strangers_odd_cells_perhaps_meant(tmp_path, monkeypatch) -> None:
    """Comparing names takes up to tenths of a second, and a million rows may be odd."""
    asked: list[str] = []
    monkeypatch.setattr(task_tables, "perhaps", lambda name, _: asked.append(name) or "")
    begun(tmp_path / "bought", ROWS).add(Shard((b"1,b a", b"2,c a"), (0, 1)))
    assert len(list((tmp_path / ".bought.new" / "odd").iterdir())) == 2
    assert asked == []


@pytest.mark.parametrize("kind", SOLD)
@pytest.mark.parametrize("change", ["less", "more", "odd less", "odd more", "class", "gone"])
def test_a_folder_that_was_changed_is_told(tmp_path, kind: str, change: str) -> None:
    form, shards = sold("rows")
    if kind == "texts":
        form, shards = sold("texts")
        shards[2] = Shard((b"\xff", b"y"), (0, 1))
    file = begun(tmp_path / "bought", form)
    for shard in shards:
        file.add(shard)
    file.finish()
    (records,) = (tmp_path / "bought").glob("records.*")
    lines = records.read_bytes().splitlines(keepends=True)
    odd = tmp_path / "bought" / "odd"
    if change == "less":
        records.write_bytes(b"".join(lines[:-1]))
    elif change == "more":
        records.write_bytes(b"".join([*lines, lines[-1]]))
    elif change == "odd less":
        (odd / "4-0.bin").unlink()
    elif change == "odd more":
        (odd / "9-0.bin").write_bytes(b"x")
    elif change == "class":
        records.write_bytes(b"".join(lines).replace(b"yes", b"maybe"))
    else:
        records.unlink()
    with pytest.raises(DataError):
        back(tmp_path / "bought", form)


def test_a_folder_that_is_there_is_not_written_to(tmp_path) -> None:
    with pytest.raises(DataError, match="exists: name a folder that does not"):
        begun(tmp_path, TEXTS)


def test_what_was_begun_about_something_else_is_thrown_away(tmp_path) -> None:
    form, shards = sold("rows")
    begun(tmp_path / "bought", form).add(shards[0])
    assert begun(tmp_path / "bought", form, b"another").done == 0
