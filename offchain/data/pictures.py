"""One picture file, whoever wrote it: opened within bounds, decoded upright, 8 bits a channel."""

from __future__ import annotations

import io
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

BROKEN, DEEP = "broken pictures", "pictures of more than 8 bits per channel"

_BITS_PER_SAMPLE = 258
"""TIFF's tag of the bits in each channel."""

_ENDINGS = {
    b"\xff\xd8\xff": ".jpg",
    b"\x89PNG\r\n\x1a\n": ".png",
    b"GIF8": ".gif",
    b"BM": ".bmp",
    b"II*\0": ".tif",
    b"MM\0*": ".tif",
    **{b"P%d" % kind: ".ppm" for kind in range(1, 7)},
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

    Raises UnreadableError for what is no picture of `FORMATS`, has more than MAX_PIXELS or more
    than 8 bits per channel, and for whatever its decoder says in the block. Want of memory is
    nobody's fault: MemoryError goes on.
    """
    try:
        with Image.open(
            io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS
        ) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableError(
                    f"{told} cannot be read as an image: {image.width}x{image.height} pixels, at "
                    f"most {MAX_PIXELS:,} in all are read",
                    BROKEN,
                )
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
