"""One picture file, whoever wrote it: opened within bounds, decoded upright, 8 bits a channel."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFile, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from offchain.data.imageset import DataError
from offchain.data.pixels import resize

FORMATS = ("JPEG", "PNG", "PPM", "BMP", "TIFF", "WEBP", "GIF")
"""What is decoded, by Pillow's names, whatever a file is called; no other decoder sees it."""

MAX_PIXELS = 64_000_000
"""Of one picture. A few bytes may say that they are far more, and all would lie in memory."""

MAX_SCANS = 100
"""Of one JPEG. A further one is a few bytes, and all pixels are gone over for it; who writes a
progressive one makes about ten."""

BROKEN, DEEP = "broken pictures", "pictures of more than 8 bits per channel"

_BITS_PER_SAMPLE, _TILE_WIDTH, _TILE_LENGTH = 258, 322, 323
"""TIFF's tags of the bits in each channel, and of the sides of a tile."""

_MARKER = re.compile(rb"\xff+([^\x00\x01\xff\xd0-\xd8])")
"""At which the decoder of a JPEG stops; two bytes behind it say how much is passed over."""
_END, _SCAN = b"\xd9", b"\xda"

_ENDINGS = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG\r\n\x1a\n": ".png",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    **dict.fromkeys((b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+"), ".tif"),
    **dict.fromkeys((b"P4", b"P5", b"P6", b"P0CMYK", b"PyP", b"PyRGBA", b"PyCMYK"), ".ppm"),
}


class UnreadableError(DataError):
    """A file that cannot be read as a picture of 8 bits per channel.

    what: its kind, in the plural.
    """

    def __init__(self, message: str, what: str) -> None:
        super().__init__(message)
        self.what = what


@contextmanager
def opened(source: Path | bytes, told: str) -> Iterator[ImageFile.ImageFile]:
    """The picture in a file or in its bytes, not decoded yet. told: what errors call it.

    Raises UnreadableError for what is no picture of `FORMATS`, would take more memory or time than
    MAX_PIXELS do, has more than 8 bits per channel, and for whatever its decoder says in the block.
    Want of memory is nobody's fault: MemoryError goes on.
    """
    try:
        with Image.open(
            io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS
        ) as image:
            if why := _too_much(image):
                raise UnreadableError(f"{told} cannot be read as an image: {why}", BROKEN)
            if _is_deep(image):
                raise UnreadableError(
                    f"{told} has more than 8 bits per channel: convert it first", DEEP
                )
            yield image
    except (DataError, MemoryError):
        raise
    # Decoders raise OSError, SyntaxError, ValueError, struct.error, DecompressionBombError, ...
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise UnreadableError(f"{told} cannot be read as an image: {why}", BROKEN) from error


def upright(image: ImageFile.ImageFile, channels: int = 3) -> torch.Tensor:
    """uint8 (C, H, W), turned as its EXIF data says; of 1 channel, grey by ITU-R 601, or 3."""
    turned = ImageOps.exif_transpose(image).convert("L" if channels == 1 else "RGB")
    pixels = np.array(turned).reshape(turned.height, turned.width, channels)
    return torch.from_numpy(pixels).permute(2, 0, 1)


def decoded(source: Path | bytes, told: str, shape: tuple[int, int, int]) -> torch.Tensor:
    """The picture as uint8 of `shape` (C, H, W), resized where it has another size.

    Both sides of a sale decode by this, so that of equal files they see equal pixels. Raises as
    `opened` does.
    """
    channels, height, width = shape
    with opened(source, told) as image:
        pixels = upright(image, channels)
    return resize(pixels[None], height, width)[0].contiguous()


def ending_of(data: bytes) -> str:
    """How a file's name ends, by its first bytes alone; .bin for what is no picture."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ".webp"
    return next((ending for first, ending in _ENDINGS.items() if data.startswith(first)), ".bin")


def _too_much(image: ImageFile.ImageFile) -> str:
    """Why decoding would take more memory or time than a picture may; empty where it does not."""
    size = image.width, image.height
    if isinstance(image, TiffImageFile):  # a whole tile is decoded, however small the picture
        tile = (image.tag_v2.get(_TILE_WIDTH, 1), image.tag_v2.get(_TILE_LENGTH, 1))
        size = max(size, tile, key=math.prod)
    if math.prod(size) > MAX_PIXELS:
        return f"{size[0]}x{size[1]} pixels, at most {MAX_PIXELS:,} in all are read"
    if image.format in ("JPEG", "MPO"):
        assert image.fp is not None
        image.fp.seek(0)
        if _has_many_scans(image.fp.read()):
            return f"more than {MAX_SCANS} scans"
    if image.tile and image.tile[0].codec_name == "ppm_plain":  # hours for a few MB of comments
        return "pixels written as text are not read"
    return ""


def _has_many_scans(jpeg: bytes) -> bool:
    """Whether there are more than MAX_SCANS before its end; phones write videos behind that."""
    at = scans = 0
    while (found := _MARKER.search(jpeg, at)) and found[1] != _END and scans <= MAX_SCANS:
        scans += found[1] == _SCAN
        at = found.end() + int.from_bytes(jpeg[found.end() : found.end() + 2], "big")
    return scans > MAX_SCANS


def _is_deep(image: ImageFile.ImageFile) -> bool:
    """Whether a channel has more than 8 bits, which Pillow cuts from colours without a word."""
    if image.mode.split(";")[0] in ("I", "F"):
        return True
    if isinstance(image, TiffImageFile):
        return any(bits > 8 for bits in image.tag_v2.get(_BITS_PER_SAMPLE, (1,)))
    arguments = [image.tile[0].args] if image.tile else []
    if image.format == "PPM":  # ("RGB", greatest value)
        return any(isinstance(args, tuple) and args[-1] > 255 for args in arguments)
    return image.format == "PNG" and any(";16" in str(args) for args in arguments)
