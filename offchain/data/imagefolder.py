"""A directory with one folder of image files per class, decoded into memory."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torchvision.datasets import ImageFolder  # type: ignore[import-untyped, unused-ignore]

from offchain.data.imageset import DataError, ImageSet, Progress
from offchain.data.pixels import resize

_CHUNK = 256
"""Files decoded between two calls of `progress`; also the longest wait after Ctrl-C."""

_DEEP_MODES = ("I", "F")
"""PIL modes of more than 8 bits per channel (I;16 and its kin included)."""


def evenly_spaced(available: int, wanted: int) -> npt.NDArray[np.int64]:
    """`wanted` of the indices 0..available-1, ascending and evenly spaced; all when too few."""
    count = min(available, wanted)
    return np.arange(count, dtype=np.int64) * available // count


def load_folder(
    directory: Path,
    *,
    size: int | None = None,
    limit: int | None = None,
    progress: Progress | None = None,
) -> ImageSet:
    """Read `directory`/<class>/<image files> as RGB; classes are the folders' names, sorted.

    size: resize every image to size x size pixels; without it all images must be equal in size.
    limit: decode at most this many files, evenly spaced over the sorted list.

    Raises DataError naming the file that is broken, has more than 8 bits per channel, or
    differs in size.
    """
    try:
        folder = ImageFolder(directory)
    except FileNotFoundError as error:
        raise DataError(f"{directory} is no image folder: {error}") from error
    chosen = evenly_spaced(len(folder), limit if limit is not None else len(folder))
    paths = [Path(folder.samples[i][0]) for i in chosen]

    first = _decode(paths[0], size)
    images = torch.empty((len(paths), *first.shape), dtype=torch.uint8)

    def fill(i: int) -> None:
        image = _decode(paths[i], size)
        if image.shape != first.shape:
            raise DataError(
                f"{paths[i]} is {_width_by_height(image)} pixels, {paths[0]} is "
                f"{_width_by_height(first)}: give a size to resize all images to"
            )
        images[i] = image

    _in_threads(fill, len(paths), progress)
    return ImageSet(
        images,
        torch.tensor([folder.targets[i] for i in chosen], dtype=torch.int64),
        tuple(folder.classes),
        directory.name or str(directory),
    )


def _in_threads(work: Callable[[int], None], total: int, progress: Progress | None) -> None:
    # Threads suffice: PIL leaves the interpreter lock while it decodes.
    with ThreadPoolExecutor() as pool:
        for start in range(0, total, _CHUNK):
            end = min(start + _CHUNK, total)
            list(pool.map(work, range(start, end)))  # list(): raises what a worker raised
            if progress is not None:
                progress(end, total)


def _decode(path: Path, size: int | None) -> torch.Tensor:
    """The image file as uint8 (3, H, W)."""
    try:
        with Image.open(path) as image:
            if image.mode.split(";")[0] in _DEEP_MODES:
                raise DataError(f"{path} has more than 8 bits per channel: convert it first")
            pixels = np.array(image.convert("RGB"))  # (H, W, 3)
    except DataError:
        raise
    # Decoders raise OSError, SyntaxError, ValueError, struct.error, DecompressionBombError, ...
    except Exception as error:
        raise DataError(f"{path} cannot be read as an image: {error}") from error
    decoded = torch.from_numpy(pixels).permute(2, 0, 1)
    return decoded if size is None else resize(decoded.unsqueeze(0), size, size).squeeze(0)


def _width_by_height(image: torch.Tensor) -> str:
    return f"{image.shape[2]}x{image.shape[1]}"
