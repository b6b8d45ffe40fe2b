"""Pictures as files: offered byte by byte, decoded alike on both sides, and safely."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from offchain.data import originals as module
from offchain.data import pictures
from offchain.data.datasets import load_dataset, load_originals
from offchain.data.form import Pictures
from offchain.data.originals import originals_of
from offchain.data.originals import shown as shown_by
from offchain.data.pictures import UnreadableError, decoded, ending_of


def pixels(*shape):
    return np.random.default_rng(sum(shape)).integers(256, size=shape, dtype=np.uint8)


def as_file(kind, image, **how):
    file = io.BytesIO()
    Image.fromarray(image).save(file, kind, **how)
    return file.getvalue()


def folder_of(root, endings=("jpg", "png", "webp")):
    """Two classes of pictures, each of its own size and kind."""
    for c, name in enumerate(("ant", "bee")):
        (root / name).mkdir()
        for i, ending in enumerate(endings):
            Image.fromarray(pixels(9 + c, 12 + i, 3)).save(root / name / f"{i}.{ending}")
    return root


def test_a_folder_is_offered_as_the_files_that_lie_there(tmp_path):
    """What is decoded of them is what `load_dataset` reads."""
    one = load_originals(str(folder_of(tmp_path)), size=8)
    read = load_dataset(str(tmp_path), size=8)
    paths = sorted(path for path in tmp_path.rglob("*.*") if path.is_file())
    assert list(one.files) == paths
    assert [one.content(i) for i in range(6)] == [path.read_bytes() for path in paths]
    assert [one.size(i) for i in range(6)] == [path.stat().st_size for path in paths]
    assert (one.classes, one.shape, one.name) == (read.classes, read.shape, read.name)
    assert torch.equal(one.labels, read.labels)
    (shown,) = shown_by([one.content(i) for i in range(6)], one.form, "sample")
    assert torch.equal(shown, read.images)


def test_copies_are_told_by_what_they_show(tmp_path):
    folder_of(tmp_path, ("png", "bmp"))
    Image.open(tmp_path / "bee" / "0.png").save(tmp_path / "bee" / "copy.bmp")
    one = load_originals(str(tmp_path), size=64)
    assert (len(one), one.distinct()) == (5, 4)
    assert one.subset([0, 1, 0]).distinct() == 2


@pytest.mark.parametrize("skip", [False, True])
def test_what_cannot_be_read_is_known_before_it_is_offered(tmp_path, skip):
    folder_of(tmp_path)
    path = tmp_path / "ant" / "1.png"
    path.write_bytes(path.read_bytes()[:-40])
    if skip:
        one = load_originals(str(tmp_path), size=8, skip_broken=True, note=lambda _: None)
        assert (len(one), len(one.prints)) == (5, 5)
        assert path not in one.files
    else:
        with pytest.raises(module.DataError, match=r"1\.png cannot be read as an image"):
            load_originals(str(tmp_path), size=8)


@pytest.mark.parametrize("shape", [(4, 1, 28, 28), (4, 3, 5, 7)])
def test_pictures_of_no_folder_are_png_files_that_lose_nothing(shape):
    images = torch.from_numpy(pixels(*shape))
    one = originals_of(module.ImageSet(images, torch.arange(4), tuple("abcd"), "made"))
    assert {ending_of(file) for file in one.files} == {".png"}
    (shown,) = shown_by([one.content(i) for i in range(4)], one.form, "sample")
    assert torch.equal(shown, images)
    assert one.distinct() == 4


def test_a_few_are_decoded_at_a_time(monkeypatch):
    file = as_file("PNG", pixels(8, 8, 3))
    monkeypatch.setattr(module, "BATCH_BYTES", 2 * 3 * 8 * 8)
    assert [len(some) for some in shown_by([file] * 5, Pictures((3, 8, 8)), "sample")] == [2, 2, 1]


def test_a_picture_is_brought_to_the_shape_and_to_grey():
    image = pixels(20, 10, 3)
    shown = decoded(as_file("PNG", image), "it", (1, 4, 6))
    assert shown.shape == (1, 4, 6)
    grey = np.array(Image.fromarray(image).convert("L"))
    assert torch.equal(decoded(as_file("PNG", image), "it", (1, 20, 10))[0], torch.from_numpy(grey))


# Files from a stranger


def png_of(width, height):
    """A PNG of one colour, of a few bytes, whose header says so many pixels."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(1 + (width + 7) // 8) * height, 9)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", rows), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


HOSTILE = {
    "nothing": b"",
    "text": b"no picture\n\x1b[2J",
    "truncated": as_file("JPEG", pixels(32, 32, 3))[:400],
    "more pixels than are read": png_of(8_001, 8_000),
    "far more pixels": png_of(60_000, 60_000),
    "16 bits": as_file("PNG", pixels(4, 4).astype(np.uint16) << 8),
    "an icon": as_file("ICO", pixels(16, 16, 3)),
    "a document": as_file("PDF", pixels(16, 16, 3)),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_files_are_refused_with_one_printable_line(what):
    with pytest.raises(UnreadableError) as error:
        decoded(HOSTILE[what], "sample 3", (3, 8, 8))
    assert str(error.value).startswith("sample 3 ")
    assert str(error.value).isprintable()


def test_pixels_are_bounded_and_no_more_than_that(monkeypatch):
    assert decoded(png_of(1000, 1000), "it", (1, 2, 2)).shape == (1, 2, 2)
    monkeypatch.setattr(pictures, "MAX_PIXELS", 999_999)
    with pytest.raises(UnreadableError, match="1000x1000 pixels, at most 999,999"):
        decoded(png_of(1000, 1000), "it", (1, 2, 2))


def test_want_of_memory_is_nobodys_fault(monkeypatch):
    def fails(*_):
        raise MemoryError

    monkeypatch.setattr(pictures, "upright", fails)
    with pytest.raises(MemoryError):
        decoded(as_file("PNG", pixels(4, 4, 3)), "it", (3, 4, 4))


@pytest.mark.parametrize(
    ("kind", "ending"),
    [
        *(("JPEG", ".jpg"), ("PNG", ".png"), ("GIF", ".gif"), ("BMP", ".bmp")),
        *(("TIFF", ".tif"), ("WEBP", ".webp"), ("PPM", ".ppm")),
    ],
)
def test_a_file_ends_as_its_first_bytes_say(kind, ending):
    assert ending_of(as_file(kind, pixels(4, 4, 3))) == ending
    assert ending_of(b"#!/bin/sh") == ending_of(b"RIFF0000WAVE") == ending_of(b"") == ".bin"
