"""Bought files in a folder: by class, under numbers, whole or not there, and gone on with."""

import pytest

from offchain.data import files_folder as module
from offchain.data.files_folder import FilesFolder, shards_in
from offchain.data.imageset import DataError
from offchain.data.shards import Shard, pack_shard

CLASSES, NAMES = ("ant", "bee/wasp"), ("ant", "bee-wasp")
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
SHARDS = [
    Shard((PNG + b"0", JPEG + b"1"), (0, 1)),
    Shard((b"../2", PNG + b"3"), (1, 1)),
    Shard((PNG + b"4", PNG + b"5"), (0, 0)),
]


def nothing(done, total):
    pass


def begin(folder, about=b"this purchase"):
    return FilesFolder(folder, NAMES, 6, about)


def written(folder):
    one = begin(folder)
    for shard in SHARDS[one.done :]:
        one.add(shard)
    one.finish()
    return folder


def read(folder, count=3):
    return list(shards_in(folder, NAMES, CLASSES, count, 2, nothing))


def test_files_lie_by_class_under_their_numbers_and_are_read_back(tmp_path):
    folder = written(tmp_path / "out")
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.*"))
    assert found == [
        *("ant/0.png", "ant/4.png", "ant/5.png"),
        *("bee-wasp/1.jpg", "bee-wasp/2.bin", "bee-wasp/3.png"),
    ]
    assert read(folder) == [pack_shard(shard, CLASSES) for shard in SHARDS]
    assert list(tmp_path.iterdir()) == [folder]
    with pytest.raises(DataError, match="exists: name a folder that does not"):
        begin(folder)


@pytest.mark.parametrize(
    ("done", "half"), [(0, "ant/0.png"), (1, "bee-wasp/2.bin"), (2, "ant/4.png"), (3, None)]
)
def test_who_was_killed_goes_on_after_the_shards_that_are_done(tmp_path, done, half):
    """In the midst of a shard, too: what it had of that one is written again."""
    first = begin(tmp_path / "out")
    for shard in SHARDS[:done]:
        first.add(shard)
    if half:
        (first.place / half).write_bytes(b"half")
    assert not (tmp_path / "out").exists()
    assert begin(tmp_path / "out").done == done
    assert read(written(tmp_path / "out")) == [pack_shard(shard, CLASSES) for shard in SHARDS]


def test_what_was_begun_about_another_purchase_is_thrown_away(tmp_path):
    first = begin(tmp_path / "out", b"another")
    first.add(SHARDS[0])
    again = begin(tmp_path / "out")
    assert again.done == 0
    assert [path for path in again.place.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda folder: (folder / "ant" / "0.png").unlink(), "other files than the 6"),
        (lambda folder: (folder / "ant" / "6.png").write_bytes(b"x"), "other files than the 6"),
        (lambda folder: (folder / "ant" / "note").write_bytes(b"x"), "other files than the 6"),
        (
            lambda folder: (folder / "ant" / "0.png").rename(folder / "ant" / "7.png"),
            "other files than the 6",
        ),
        (
            lambda folder: (folder / "ant" / "0.png").write_bytes(bytes(100)),
            "larger than any shard",
        ),
    ],
)
def test_a_folder_of_other_files_is_refused(tmp_path, monkeypatch, change, message):
    folder = written(tmp_path / "out")
    monkeypatch.setattr(module, "MAX_SHARD_BYTES", 99)
    change(folder)
    with pytest.raises(DataError, match=message):
        read(folder)


def test_other_bytes_or_another_class_make_other_shards(tmp_path):
    folder = written(tmp_path / "out")
    (folder / "ant" / "0.png").rename(folder / "bee-wasp" / "0.png")
    (folder / "ant" / "5.png").write_bytes(b"5")
    right = [pack_shard(shard, CLASSES) for shard in SHARDS]
    assert [one == other for one, other in zip(read(folder), right, strict=True)] == [
        *(False, True, False)
    ]
