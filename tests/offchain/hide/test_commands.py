"""`ape run hide` and `ape run seek`: a folder is masked and cleaned bit for bit, or not touched."""

import json
import shutil

import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from offchain.data.datasets import load_dataset
from offchain.data.folder import in_folder_order, write_folder
from offchain.data.imageset import DataError
from offchain.hide.cleaner import encode_cleaner
from offchain.hide.errors import HideError
from offchain.hide.masks import with_room
from offchain.hide.published import (
    decode_dataset,
    encode_dataset,
    load_published,
)
from scripts import hide, seek
from scripts._hide import mask
from tests.offchain.hide.small import made_up, made_up_family


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return lambda command, *options: CliRunner().invoke(command.cli, [str(o) for o in options])


@pytest.fixture
def bought(tmp_path):
    """A published family and a cleaner of it, on disk."""
    family = made_up_family(made_up())
    write_folder(family.masked, tmp_path / "published")
    (tmp_path / "published.safetensors").write_bytes(encode_dataset(family.masked))
    (tmp_path / "cleaner").write_bytes(encode_cleaner(family.cleaner(2)))
    return family


def files(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*"))


# Folders and files


@pytest.mark.parametrize("channels", [1, 3])
def test_a_folder_and_the_compact_file_hold_the_same_dataset(tmp_path, channels):
    data = made_up(shape=(channels, 8, 9))
    write_folder(data, tmp_path / "folder")
    assert load_published(tmp_path / "folder").digest() == data.digest()
    assert decode_dataset(encode_dataset(data)).digest() == data.digest()


def test_classes_and_images_are_sorted_as_a_folder_reads_back(tmp_path):
    data = made_up(9)
    mixed = data.subset([8, 0, 4, 1, 5, 2, 3, 7, 6])
    renamed = type(mixed)(mixed.images, mixed.labels, ("t/shirt", ".coat", "bag"), "clothes")
    tidy = in_folder_order(renamed)
    assert tidy.classes == ("_coat", "bag", "t-shirt")
    write_folder(tidy, tmp_path / "folder")
    assert load_published(tmp_path / "folder").digest() == tidy.digest()
    assert torch.equal(in_folder_order(tidy).images, tidy.images)


def test_a_folder_that_exists_is_left_alone(tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(DataError, match="mine exists"):
        write_folder(made_up(), tmp_path / "mine")
    assert files(tmp_path) == [(tmp_path / "mine").relative_to(tmp_path)]


# seek


@pytest.mark.parametrize("source", ["published", "published.safetensors"])
def test_seek_gives_the_level_that_was_paid_for(run, bought, tmp_path, source):
    expected = bought.cleaner(2).result
    result = run(seek, source, "cleaner", "--out", "clean")
    assert result.exit_code == 0, result.output
    assert expected in result.output
    assert load_published(tmp_path / "clean").digest() == expected
    assert run(seek, source, "cleaner", "--out", "c.safetensors").exit_code == 0
    assert load_published(tmp_path / "c.safetensors").digest() == expected


def _touched(tmp_path):
    path = sorted((tmp_path / "published" / "class 0").iterdir())[0]
    Image.new("RGB", (8, 8)).save(path)


def _cut(tmp_path):
    whole = (tmp_path / "cleaner").read_bytes()
    (tmp_path / "cleaner").write_bytes(whole[:-10])


def _sizes(tmp_path):
    Image.new("RGB", (9, 8)).save(tmp_path / "published" / "class 1" / "extra.png")


SEEK_REFUSED = {
    "another dataset": (_touched, "the cleaner is for dataset"),
    "truncated": (_cut, "no cleaner, or a truncated one"),
    "sizes": (_sizes, "give a size"),
    "out exists": (lambda tmp_path: (tmp_path / "clean").mkdir(), "clean exists"),
}


@pytest.mark.parametrize("what", SEEK_REFUSED)
def test_seek_refuses_in_one_line_and_writes_nothing(run, bought, tmp_path, what):
    spoil, words = SEEK_REFUSED[what]
    spoil(tmp_path)
    before = files(tmp_path)
    result = run(seek, "published", "cleaner", "--out", "clean")
    message = result.output.partition("Error: ")[2].rstrip("\n")
    assert result.exit_code == 1
    assert words in message
    assert "\n" not in message
    assert files(tmp_path) == before


# hide

QUICK = (
    *("--levels", "0.4", "--tolerance", "0.35", "--free", "classes"),
    *("--epochs", "4", "--batch", "32"),
    *("--network", "plain", "--check", "small-resnet", "--patch", "4"),
)


def test_hide_masks_a_folder_and_seek_cleans_it(run, tmp_path):
    digits = load_dataset("digits", limit=150)
    write_folder(in_folder_order(digits), tmp_path / "mine")
    result = run(hide, "mine", *QUICK, "--out", "out")
    assert result.exit_code == 0, result.output
    published = load_published(tmp_path / "out/published")
    original = load_dataset(str(tmp_path / "mine"))
    moved = (published.images.int() - with_room(original, 8).images.int()).abs()
    assert 0 < int(moved.max()) <= 8

    record = json.loads((tmp_path / "out/levels.json").read_text())
    assert record["dataset"] == published.digest()
    assert len(record["levels"]) == 1
    assert record["likeness"][0]["mse"] > 0
    private = tmp_path / "out/private"
    secrets = ["secret.json", "family.safetensors", "cleaner-1.safetensors", "sheet.png"]
    secrets += ["levels.png", "record.json", "report.html"]
    assert all((private / name).stat().st_mode & 0o077 == 0 for name in secrets)
    assert private.stat().st_mode & 0o077 == 0

    result = run(seek, "out/published", "out/private/cleaner-1.safetensors", "--out", "clean")
    assert result.exit_code == 0, result.output
    cleaned = load_published(tmp_path / "clean")
    free = (cleaned.images == with_room(original, 8).images).flatten(1).all(1)
    assert int(free.sum()) >= record["levels"][0]["free"]

    # A second run needs no training.
    shutil.rmtree(tmp_path / "out/published")
    result = run(hide, "mine", *QUICK, "--out", "out")
    assert "0 trainings" in result.output
    assert load_published(tmp_path / "out/published").digest() == published.digest()


def test_also_names_further_networks_that_masks_are_made_on(run, tmp_path, monkeypatch):
    plans = []

    def make_family(split, plan, *_, **__):
        plans.append(plan)
        raise HideError("enough")

    monkeypatch.setattr(mask, "make_family", make_family)
    for name in ("small-resnet", "plain"):
        run(hide, "digits", *QUICK, "--images", "100", "--also", name, "--out", "out")
    assert [plan.made_on for plan in plans] == [("plain", "small-resnet"), ("plain",)]


HIDE_REFUSED = {
    "no such": (("nowhere",), "'nowhere' is no directory and none of"),
    "epsilon": (("mine", "--epsilon", "65"), "from 1 to 64, not 65"),
    "level": (("mine", "--levels", "0.3,1.2"), "above 0 and below 1, not 1.2"),
    "levels": (("mine", "--levels", "some"), "levels are numbers by commas, not 'some'"),
    "twice": (("mine", "--levels", "0.3,0.3"), "asked for once"),
    "device": (("mine", "--device", "abacus"), "not 'abacus'"),
    "sizes": (("uneven",), "give a size"),
    "empty": (("hollow",), "hollow is no image folder"),
    "too few": (("lonely",), "class 'a' has 1 images, too few"),
}


@pytest.mark.parametrize("what", HIDE_REFUSED)
def test_hide_refuses_in_one_line_and_writes_nothing(run, tmp_path, what):
    for name in ("mine", "uneven", "hollow", "lonely"):
        for letter in "ab":
            (tmp_path / name / letter).mkdir(parents=True)
            for number in range(1 if name == "lonely" else 4):
                if name != "hollow":
                    path = tmp_path / name / letter / f"{number}.png"
                    Image.new("RGB", (8, 8 + (name == "uneven") * number)).save(path)
    before = files(tmp_path)
    options, words = HIDE_REFUSED[what]
    result = run(hide, *options, "--out", "out")
    message = result.output.partition("Error: ")[2].rstrip("\n")
    assert result.exit_code == 1
    assert words in message
    assert "\n" not in message
    assert files(tmp_path) == before


@pytest.mark.parametrize("command", [hide, seek])
def test_help_explains_every_option(run, command):
    text = run(command, "--help").output
    for option in command.cli.params:
        assert option.opts[0] in text or option.name.upper() in text
        assert option.param_type_name == "argument" or option.help
