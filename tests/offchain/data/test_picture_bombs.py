"""A few bytes of a stranger's that would keep who decodes them, or fill its memory."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from PIL import Image

from offchain.data import pictures
from offchain.data.pictures import MAX_SCANS, UnreadableError, decoded, ending_of

SHAPE = (3, 8, 8)


def jpeg(further: int) -> bytes:
    """A progressive JPEG whose last scan is there `further` times more."""
    file = io.BytesIO()
    Image.new("L", (64, 64), 128).save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * further + data[-2:]


def tiled(side: int) -> bytes:
    """A TIFF of one pixel, in a compressed tile of side x side pixels."""
    packer = zlib.compressobj(9)
    tile = b"".join(packer.compress(bytes(side)) for _ in range(side)) + packer.flush()
    short, long, count = 3, 4, 10
    after = 8 + 2 + 12 * count + 4
    tags = [
        *((256, long, 1), (257, long, 1), (258, short, 8), (259, short, 8), (262, short, 1)),
        *((277, short, 1), (322, long, side), (323, long, side), (324, long, after)),
        (325, long, len(tile)),
    ]
    packed = b"".join(
        struct.pack("<HHIHH", tag, kind, 1, value, 0)
        if kind == short
        else struct.pack("<HHII", tag, kind, 1, value)
        for tag, kind, value in tags
    )
    return b"II*\0" + struct.pack("<IH", 8, count) + packed + bytes(4) + tile


def test_a_jpeg_of_very_many_scans_is_refused(monkeypatch):
    """Each is a hundred bytes, and 50 ms at the most pixels: a shard of them would take hours."""
    bomb = jpeg(MAX_SCANS)
    with pytest.raises(UnreadableError, match="it cannot be read as an image: more than 100 scans"):
        decoded(bomb, "it", SHAPE)
    monkeypatch.setattr(pictures, "MAX_SCANS", 10**6)
    assert tuple(decoded(bomb, "it", SHAPE).shape) == SHAPE  # the decoder would go on


def test_what_a_phone_writes_behind_or_into_a_jpeg_is_no_scan():
    """A video, a thumbnail: bytes that look like the beginning of a scan and are none."""
    plain, looks = jpeg(MAX_SCANS - 20), b"\xff\xda\0\2" * 1000
    inside = plain[:2] + b"\xff\xe1" + (len(looks) + 2).to_bytes(2, "big") + looks + plain[2:]
    for file in (plain, plain + looks, inside):
        assert tuple(decoded(file, "it", SHAPE).shape) == SHAPE


def test_a_tile_that_is_larger_than_any_picture_is_refused():
    assert tuple(decoded(tiled(64), "it", SHAPE).shape) == SHAPE
    with pytest.raises(UnreadableError, match="8192x8192 pixels, at most"):
        decoded(tiled(8192), "it", SHAPE)


@pytest.mark.parametrize("kind", [b"P1", b"P2", b"P3"])
def test_pixels_written_as_text_are_refused(kind):
    """Each comment between them costs a copy of a megabyte."""
    with pytest.raises(UnreadableError, match="pixels written as text are not read"):
        decoded(kind + b"\n2 2\n255\n" + b"#\n" * 100 + b"0 " * 12, "it", SHAPE)


@pytest.mark.parametrize("first", [b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+"])
def test_whatever_is_decoded_as_tiff_is_called_so(first):
    """Or a folder of pictures would leave out what was scored."""
    assert ending_of(first + bytes(8)) == ".tif"
