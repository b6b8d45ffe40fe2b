"""Of what lies in a folder, each picture is found once and in its class, and all else is named."""

import os
from pathlib import Path, PurePath

import pytest
from torchvision.datasets import ImageFolder

from offchain.data.imageset import DataError
from offchain.data.scan import PICTURES, scan


def touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def link(path: Path, target: Path | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def found(root: Path) -> list[str]:
    return list(scan(root).pictures)


def left_out(root: Path) -> dict[str, tuple[str, ...]]:
    return {one.what: one.names for one in scan(root).left_out}


REPEATED = "links to what is read elsewhere or to a folder above"


def test_a_plain_folder_is_read_in_torchvisions_order_with_nothing_left_out(tmp_path):
    touch(
        tmp_path, "b/2.png", "b/10.JPG", "a/z/1.png", "a/b.png", "a/z.png", "a-b/1.webp", "B/1.bmp"
    )
    plain = ImageFolder(tmp_path)
    read = scan(tmp_path)
    assert [str(tmp_path / name) for name in read.pictures] == [path for path, _ in plain.samples]
    assert list(read.labels) == plain.targets
    assert list(read.classes) == plain.classes
    assert not read.left_out
    assert not read.empty


@pytest.mark.parametrize(
    "name", [".git", ".ipynb_checkpoints", "__MACOSX", "a/.ipynb_checkpoints", "@eaDir", "a/.x"]
)
def test_hidden_folders_are_no_classes_and_are_named(tmp_path, name):
    touch(tmp_path, "a/1.png", f"{name}/2.png")
    assert found(tmp_path) == ["a/1.png"]
    assert scan(tmp_path).classes == ("a",)
    assert left_out(tmp_path) == {"hidden files or folders": (name,)}


def test_a_folder_that_is_hidden_itself_is_read(tmp_path):
    touch(tmp_path / ".data", "a/1.png")
    assert found(tmp_path / ".data") == ["a/1.png"]


def test_all_that_is_no_picture_of_a_class_is_named_by_its_kind(tmp_path):
    touch(
        tmp_path, "a/1.png", "a/2.gif", "a/._1.png", "a/3.heic", "notes.txt", "cover.png", "c/x.csv"
    )
    assert found(tmp_path) == ["a/1.png", "a/2.gif"]
    assert scan(tmp_path).empty == ("c",)
    assert left_out(tmp_path) == {
        "hidden files or folders": ("a/._1.png",),
        "pictures that lie in no class's folder": ("cover.png",),
        "files that are no pictures by their ending": ("a/3.heic", "c/x.csv", "notes.txt"),
    }


# Splits


@pytest.mark.parametrize(
    "files",
    [
        ["train/a/1.png", "val/a/2.png"],
        ["train/a/1.png", "val/2.png"],  # the test pictures of many sets have no labels
        ["val/a/1.png", "val/sheet.png", "b/2.png"],
        ["fold 1/a/1.png", "fold 2/a/2.png"],
        ["insects/a/1.png", "insects/b/2.png"],
    ],
)
def test_a_root_that_holds_splits_is_refused_with_the_folders_to_name_instead(tmp_path, files):
    touch(tmp_path, *files)
    below = [PurePath(file).parts for file in files]
    splits = sorted({parts[0] for parts in below if len(parts) == 3})
    with pytest.raises(DataError, match="holds folders of classes, not of pictures") as error:
        scan(tmp_path)
    assert str(error.value).endswith(", ".join(str(tmp_path / split) for split in splits))
    assert "\n" not in str(error.value)
    of_first = [parts for parts in below if parts[0] == splits[0] and len(parts) == 3]
    assert found(tmp_path / splits[0]) == ["/".join(parts[1:]) for parts in of_first]


def test_a_class_may_keep_some_of_its_pictures_in_folders(tmp_path):
    touch(tmp_path, "dog/1.png", "dog/indoors/2.png", "cat/1.png")
    assert scan(tmp_path).labels == (0, 1, 1)


def test_a_split_named_as_people_name_it_is_a_class_where_it_holds_pictures_alone(tmp_path):
    touch(tmp_path, "test/1.png", "train/1.png")  # say, pictures of trains and of tests
    assert scan(tmp_path).classes == ("test", "train")


# Links


@pytest.mark.parametrize("target", [".", "..", "../..", "a"])
def test_a_link_to_a_folder_above_multiplies_nothing(tmp_path, target):
    root = tmp_path / "outer" / "set"
    touch(root, "a/1.png", "b/1.png")
    touch(tmp_path, "outer/other/a/1.png")
    link(root / "b" / "up", os.path.normpath(root / "b" / ".." / target))
    assert found(root) == ["a/1.png", "b/1.png"]
    assert left_out(root) == {REPEATED: ("b/up",)}


def test_links_to_one_file_are_followed_once_and_the_file_itself_goes_first(tmp_path):
    touch(tmp_path, "set/b/real.png", "elsewhere/x.png")
    link(tmp_path / "set" / "a" / "1.png", tmp_path / "set" / "b" / "real.png")
    link(tmp_path / "set" / "a" / "2.png", tmp_path / "elsewhere" / "x.png")
    link(tmp_path / "set" / "b" / "3.png", tmp_path / "set" / "a" / "2.png")
    assert found(tmp_path / "set") == ["a/2.png", "b/real.png"]
    assert left_out(tmp_path / "set") == {REPEATED: ("a/1.png", "b/3.png")}


def test_a_set_made_of_links_alone_is_read_whole(tmp_path):
    touch(tmp_path, "store/1.png", "store/2.png", "classes/b/3.png", "set/.annex/4.png")
    link(tmp_path / "set" / "a" / "x.png", tmp_path / "store" / "1.png")
    link(tmp_path / "set" / "a" / "y.png", tmp_path / "store" / "2.png")
    link(tmp_path / "set" / "a" / "z.png", "../.annex/4.png")
    link(tmp_path / "set" / "b", tmp_path / "classes" / "b")
    assert found(tmp_path / "set") == ["a/x.png", "a/y.png", "a/z.png", "b/3.png"]
    assert left_out(tmp_path / "set") == {"hidden files or folders": (".annex",)}


def test_links_that_overlap_or_run_in_a_circle_are_followed_once(tmp_path):
    touch(tmp_path, "out/1.png", "out/in/2.png", "set/c/0.png")
    link(tmp_path / "set" / "a", tmp_path / "out")
    link(tmp_path / "set" / "b", tmp_path / "out" / "in")
    link(tmp_path / "out" / "in" / "again", tmp_path / "out")
    assert found(tmp_path / "set") == ["a/1.png", "a/in/2.png", "c/0.png"]
    assert left_out(tmp_path / "set") == {REPEATED: ("a/in/again", "b")}


def test_a_link_to_nothing_is_a_picture_that_the_reader_will_miss(tmp_path):
    touch(tmp_path, "a/1.png")
    link(tmp_path / "a" / "2.png", "gone.png")
    assert found(tmp_path) == ["a/1.png", "a/2.png"]


# Nothing to read


@pytest.mark.parametrize("files", [[], ["notes.txt"], ["a/x.txt"], ["1.png"], [".a/1.png"]])
def test_a_folder_without_a_class_is_refused(tmp_path, files):
    touch(tmp_path, *files)
    with pytest.raises(DataError, match=r"is no image folder: no folder in it holds a picture"):
        scan(tmp_path)


def test_it_takes_all_that_torchvisions_image_folder_takes():
    from torchvision.datasets.folder import IMG_EXTENSIONS

    assert set(IMG_EXTENSIONS) <= set(PICTURES)
