"""A folder of pictures is read as its owner means it, and what is left out is said."""

import struct
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

from offchain.data.datasets import DataError, load_dataset
from offchain.data.imagefolder import load_folder
from offchain.data.leftout import LeftOut


def random_pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(256, size=shape, dtype=np.uint8)


def make_folder(root: Path, count: int = 4, size: tuple[int, int] = (5, 3)) -> np.ndarray:
    """root/{ant,bee}/<i>.png of (width, height) `size`; returns the pixels (2, count, H, W, 3)."""
    pixels = random_pixels(2, count, size[1], size[0], 3)
    for c, name in enumerate(("ant", "bee")):
        (root / name).mkdir(parents=True)
        for i in range(count):
            Image.fromarray(pixels[c, i]).save(root / name / f"{i:04}.png")
    return pixels


def load_with_notes(root: Path, **how):
    """What is read, and what was left out, by kind."""
    notes: list[LeftOut] = []
    loaded = load_dataset(str(root), note=notes.append, **how)
    assert all(note.place == str(root) for note in notes)
    found = {note.what: note.names for note in notes}
    assert len(found) == len(notes)
    return loaded, found


def load_quietly(root: Path, **how):
    return load_with_notes(root, **how)[0]


def test_a_folder_is_read_exactly_in_order_with_its_class_names(tmp_path):
    pixels = make_folder(tmp_path / "insects")
    loaded = load_dataset(str(tmp_path / "insects"))
    assert np.array_equal(loaded.images.numpy(), pixels.reshape(8, 3, 5, 3).transpose(0, 3, 1, 2))
    assert loaded.labels.tolist() == [0] * 4 + [1] * 4
    assert loaded.classes == ("ant", "bee")
    assert loaded.name == "insects"


def test_a_large_folder_keeps_its_order_through_the_threads_and_reports_progress(tmp_path):
    pixels = make_folder(tmp_path, count=150, size=(4, 4))
    calls = []
    loaded = load_dataset(str(tmp_path), progress=lambda *call: calls.append(call))
    assert np.array_equal(loaded.images.numpy(), pixels.reshape(300, 4, 4, 3).transpose(0, 3, 1, 2))
    assert calls == [(256, 300), (300, 300)]


def test_a_limit_on_a_folder_takes_from_every_class(tmp_path):
    make_folder(tmp_path)
    assert load_dataset(str(tmp_path), limit=2).labels.tolist() == [0, 1]


def test_images_of_different_sizes_are_refused_by_name_unless_a_size_is_given(tmp_path):
    make_folder(tmp_path)
    Image.new("RGB", (7, 3)).save(tmp_path / "bee" / "0002.png")
    with pytest.raises(DataError, match=r"0002\.png is 7x3 pixels, .*0000\.png is 5x3.*size"):
        load_dataset(str(tmp_path))
    assert load_dataset(str(tmp_path), size=6).shape == (3, 6, 6)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "CMYK"])
def test_every_common_pixel_format_becomes_rgb(tmp_path, mode):
    (tmp_path / "only").mkdir()
    name = "white.tif" if mode == "CMYK" else "white.png"
    Image.new("RGB", (2, 2), "white").convert(mode).save(tmp_path / "only" / name)
    loaded = load_dataset(str(tmp_path))
    assert loaded.shape == (3, 2, 2)
    assert (loaded.images == 255).all()


@pytest.mark.parametrize("damage", ["empty", "rubbish", "truncated", "bomb"])
@pytest.mark.parametrize("position", ["ant/0000.png", "bee/0003.png"])
def test_a_broken_file_is_named(tmp_path, damage, position):
    make_folder(tmp_path)
    path = tmp_path / position
    whole = path.read_bytes()
    width = struct.pack(">II", 60_000, 60_000)
    path.write_bytes(
        {
            "empty": b"",
            "rubbish": b"no picture",
            "truncated": whole[: len(whole) // 2],
            "bomb": whole[:16] + width + whole[24:],
        }[damage]
    )
    with pytest.raises(DataError, match=f"{position} cannot be read as an image") as error:
        load_dataset(str(tmp_path))
    assert "\n" not in str(error.value)


def test_a_folder_has_no_splits_of_its_own(tmp_path):
    make_folder(tmp_path)
    with pytest.raises(DataError, match="name the directory of the split"):
        load_dataset(str(tmp_path), split="test")


# What is turned, and what is left out


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tif"])
def test_a_picture_is_turned_as_its_exif_data_says(tmp_path, ending):
    (tmp_path / "only").mkdir()
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:, :16] = 255  # white on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # stored so that it must be turned by 90 degrees clockwise
    stored = Image.fromarray(np.rot90(upright).copy())
    stored.save(tmp_path / "only" / f"x.{ending}", exif=exif)
    loaded = load_dataset(str(tmp_path))
    assert loaded.shape == (3, 16, 32)
    assert loaded.images[0, 0, :, :14].min() > 240
    assert loaded.images[0, 0, :, 18:].max() < 15


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("exif", [b"garbage, no exif", b"II*\0\xff\xff\xff\xff", b"", b"MM\0*\0\0"])
def test_exif_data_that_makes_no_sense_turns_nothing(tmp_path, exif):
    (tmp_path / "only").mkdir()
    Image.new("RGB", (4, 2)).save(tmp_path / "only" / "x.jpg", exif=b"Exif\0\0" + exif)
    assert load_dataset(str(tmp_path)).shape == (3, 2, 4)


def with_frames(path: Path, count: int) -> None:
    shades = [Image.new("RGB", (2, 2), (60 * i, 60 * i, 60 * i)) for i in range(count)]
    shades[0].save(path, save_all=True, append_images=shades[1:], **frames_of[path.suffix])


frames_of: dict[str, dict[str, object]] = {
    ".gif": {},
    ".png": {},
    ".webp": {"lossless": True},
    ".tif": {},
}


@pytest.mark.parametrize("ending", frames_of)
def test_of_several_frames_or_pages_the_first_is_read_and_the_others_are_said(tmp_path, ending):
    (tmp_path / "only").mkdir()
    with_frames(tmp_path / "only" / f"many{ending}", 4)
    with_frames(tmp_path / "only" / f"one{ending}", 1)
    loaded, notes = load_with_notes(tmp_path)
    assert len(loaded) == 2
    assert (loaded.images == 0).all()
    assert notes == {"further frames or pages of pictures": (f"only/many{ending}, 3",)}


def test_without_anybody_to_tell_what_is_left_out_becomes_a_warning(tmp_path):
    make_folder(tmp_path)
    (tmp_path / ".git").mkdir()
    with pytest.warns(UserWarning, match=r"left out hidden files or folders \(1\): \.git"):
        load_dataset(str(tmp_path))


def test_what_is_left_out_is_one_line_with_the_count_and_the_first_names():
    names = tuple(f"{i}.txt" for i in range(1_007))
    assert str(LeftOut("pets", "notes", names)) == (
        "pets: left out notes (1,007): 0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 1,002 more"
    )
    assert str(LeftOut("pets", "notes", names[:5])).endswith("3.txt, 4.txt")


# Broken files and empty classes


def break_files(root: Path, *names: str) -> None:
    for name in names:
        (root / name).write_bytes(b"no picture")


def test_broken_files_are_skipped_when_asked_for_and_every_one_is_named(tmp_path):
    pixels = make_folder(tmp_path)
    broken = ("ant/0000.png", "ant/0002.png", "bee/0003.png")
    break_files(tmp_path, *broken)
    loaded, notes = load_with_notes(tmp_path, skip_broken=True)
    kept = pixels.reshape(8, 3, 5, 3).transpose(0, 3, 1, 2)[[1, 3, 4, 5, 6]]
    assert np.array_equal(loaded.images.numpy(), kept)
    assert loaded.labels.tolist() == [0, 0, 1, 1, 1]
    assert notes == {"broken pictures": broken}


def test_a_broken_file_ends_the_loading_and_the_error_says_how_to_go_on(tmp_path):
    make_folder(tmp_path)
    break_files(tmp_path, "bee/0001.png")
    with pytest.raises(DataError, match=r"bee/0001\.png cannot be read .*--skip-broken goes on"):
        load_dataset(str(tmp_path))


def test_where_no_file_can_be_read_there_is_nothing_to_go_on_with(tmp_path):
    make_folder(tmp_path, count=1)
    break_files(tmp_path, "ant/0000.png", "bee/0000.png")
    with pytest.raises(DataError, match=r"none of 2 pictures can be read: .*ant/0000\.png"):
        load_dataset(str(tmp_path), skip_broken=True)


def test_a_class_without_a_readable_picture_is_left_out_and_said(tmp_path):
    make_folder(tmp_path)
    (tmp_path / "beaver").mkdir()  # empty
    (tmp_path / "aardvark").mkdir()
    break_files(tmp_path, "aardvark/0000.png")
    loaded, notes = load_with_notes(tmp_path, skip_broken=True)
    assert loaded.classes == ("ant", "bee")
    assert loaded.labels.tolist() == [0] * 4 + [1] * 4
    assert notes["class folders without a picture that can be read"] == ("aardvark", "beaver")


def test_who_must_get_back_what_was_written_keeps_empty_classes(tmp_path):
    make_folder(tmp_path)
    (tmp_path / "beaver").mkdir()
    loaded = load_folder(tmp_path, keep_empty=True)
    assert loaded.classes == ("ant", "beaver", "bee")
    assert loaded.labels.tolist() == [0] * 4 + [2] * 4


def test_a_class_that_a_limit_passes_over_stays(tmp_path):
    make_folder(tmp_path)
    assert load_quietly(tmp_path, limit=1).classes == ("ant", "bee")


# Memory


@pytest.mark.parametrize("size", [None, 100])
def test_what_exceeds_the_memory_is_refused_before_it_is_decoded(tmp_path, monkeypatch, size):
    side = size or 100
    make_folder(tmp_path, size=(side, side))
    needed = 2 * 8 * 3 * side * side

    class Memory:
        available = needed

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory)
    assert len(load_dataset(str(tmp_path), size=size)) == 8
    Memory.available = needed - 1
    calls: list[tuple[int, int]] = []
    with pytest.raises(
        DataError, match=r"8 pictures of 100x100 pixels need 0\.5 MB .*0\.5 MB are .*--image-size"
    ):
        load_dataset(str(tmp_path), size=size, progress=lambda *call: calls.append(call))
    assert not calls


def test_a_named_set_that_would_grow_beyond_the_memory_is_refused():
    with pytest.raises(DataError, match="digits: 5,000 pictures of 4096x4096 pixels need 1"):
        load_dataset("digits", size=4096)
