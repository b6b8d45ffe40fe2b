"""Channels of more than 8 bits are never cut without a word, in whatever file they come."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from offchain.data.datasets import load_dataset
from offchain.data.imageset import DataError


def png_of_16_bits(path: Path, channels: int, colour_type: int) -> None:
    rows = b"".join(b"\0" + np.full((2, channels), 1000, ">u2").tobytes() for _ in range(2))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", 2, 2, 16, colour_type, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def tiff_of_16_bits(path: Path, shape: tuple[int, ...], **how: str) -> None:
    tifffile.imwrite(path, np.full(shape, 1000, np.uint16), **how)


DEEP = {
    "grey.png": lambda path: png_of_16_bits(path, 1, 0),
    "grey-alpha.png": lambda path: png_of_16_bits(path, 2, 4),
    "colour.png": lambda path: png_of_16_bits(path, 3, 2),
    "colour-alpha.png": lambda path: png_of_16_bits(path, 4, 6),
    "grey.tif": lambda path: tiff_of_16_bits(path, (2, 2), photometric="minisblack"),
    "colour.tif": lambda path: tiff_of_16_bits(path, (2, 2, 3), photometric="rgb"),
    "planes.tif": lambda path: tiff_of_16_bits(
        path, (3, 2, 2), photometric="rgb", planarconfig="separate"
    ),
    "packed.tif": lambda path: tiff_of_16_bits(
        path, (2, 2, 3), photometric="rgb", compression="zlib"
    ),
    "float.tif": lambda path: tifffile.imwrite(path, np.ones((2, 2), np.float32)),
    "grey.pgm": lambda path: path.write_bytes(b"P5 2 2 1000\n" + bytes(8)),
    "colour.ppm": lambda path: path.write_bytes(b"P6 2 2 65535\n" + bytes(24)),
}


@pytest.mark.parametrize("name", DEEP)
def test_more_than_8_bits_are_refused_rather_than_cut(tmp_path, name):
    (tmp_path / "ant").mkdir()
    Image.new("RGB", (2, 2)).save(tmp_path / "ant" / "fine.png")
    DEEP[name](tmp_path / "ant" / name)
    with pytest.raises(DataError, match=rf"ant/{name} has more than 8 bits per channel") as error:
        load_dataset(str(tmp_path))
    assert "--skip-broken" in str(error.value)
    notes = []
    assert len(load_dataset(str(tmp_path), skip_broken=True, note=notes.append)) == 1
    assert [(note.what, note.names) for note in notes] == [
        ("pictures of more than 8 bits per channel", (f"ant/{name}",))
    ]


@pytest.mark.parametrize("top", [1, 100, 255])
def test_a_ppm_of_at_most_8_bits_is_read(tmp_path, top):
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "x.ppm").write_bytes(b"P6 2 2 %d\n" % top + bytes([top]) * 12)
    assert (load_dataset(str(tmp_path)).images == 255).all()


def test_a_bitmap_of_16_bits_a_pixel_has_fewer_than_8_a_channel_and_is_read(tmp_path):
    (tmp_path / "only").mkdir()
    pixels = struct.pack("<4H", *[0xFFFF] * 4)
    info = struct.pack("<IiiHHIIiiII", 40, 2, 2, 1, 16, 3, len(pixels), 0, 0, 0, 0)
    masks = struct.pack("<3I", 0xF800, 0x07E0, 0x001F)
    head = struct.pack("<2sIHHI", b"BM", 66 + len(pixels), 0, 0, 66)
    (tmp_path / "only" / "x.bmp").write_bytes(head + info + masks + pixels)
    assert (load_dataset(str(tmp_path)).images == 255).all()
