"""A directory with one folder of image files per class, decoded into memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from offchain.data.form import Pictures
from offchain.data.imageset import DataError, ImageSet, Progress
from offchain.data.leftout import LeftOut, Note, warn
from offchain.data.memory import check_room
from offchain.data.originals import Originals, print_of
from offchain.data.pictures import UnreadableError, opened, upright
from offchain.data.pixels import resize
from offchain.data.scan import scan

_CHUNK = 256
"""Files decoded between two calls of `progress`; also the longest wait after Ctrl-C."""


def evenly_spaced(available: int, wanted: int) -> npt.NDArray[np.int64]:
    """`wanted` of the indices 0..available-1, ascending and evenly spaced; all when too few."""
    count = min(available, wanted)
    return np.arange(count, dtype=np.int64) * available // count


def load_folder(
    directory: Path,
    *,
    size: int | None = None,
    limit: int | None = None,
    skip_broken: bool = False,
    keep_empty: bool = False,
    note: Note = warn,
    progress: Progress | None = None,
) -> ImageSet:
    """Read `directory`/<class>/<image files> as RGB; classes are the folders' names, sorted.

    Pictures are turned as their EXIF data says. Of a file with several frames or pages the first
    is read. Hidden files and folders, files of other kinds and what links would read twice are
    left out; each kind that there is goes to `note`.

    size: resize every image to size x size pixels; without it all images must be equal in size.
    limit: decode at most this many files, evenly spaced over the sorted list.
    skip_broken: leave out what cannot be read.
    keep_empty: a folder without a picture is a class without samples, as whoever must get back
        the very classes that were written needs it. Else it is left out, since nothing can be
        learned, sold or judged of it.

    Raises DataError when there is no picture, when `directory` holds splits of a set, when the
    images exceed the memory or differ in size, and UnreadableError, which names the file, for one
    that is broken or has more than 8 bits per channel: what range such values have, only their
    owner knows.
    """
    reading = _Reading(directory, limit, size, skip_broken, note)
    images = reading.images(progress)
    labels, classes = reading.named(keep_empty)
    return ImageSet(images, labels, classes, directory.name or str(directory))


def open_folder(
    directory: Path,
    *,
    size: int | None = None,
    limit: int | None = None,
    skip_broken: bool = False,
    note: Note = warn,
    progress: Progress | None = None,
) -> Originals:
    """The files that `load_folder` would read, as they are: of their pixels none is kept.

    Each is decoded once here, so that what cannot be read is known before anything rests on it.
    size: of what features are made of; the files keep theirs. Else as `load_folder`.
    """
    reading = _Reading(directory, limit, size, skip_broken, note)
    prints, shape = reading.prints(progress)
    labels, classes = reading.named(keep_empty=False)
    files = tuple(reading.path(i) for i in reading.readable)
    name = directory.name or str(directory)
    return Originals(files, labels, classes, Pictures(shape), prints, name)


class _Reading:
    """Decodes the pictures in `directory`, `limit` at most, and keeps what came of each of them.

    unreadable: why a file was skipped, by its index. further: how many frames or pages after the
    first one a file has, by its index, where it has any.
    """

    def __init__(
        self, directory: Path, limit: int | None, size: int | None, skip_broken: bool, note: Note
    ) -> None:
        self._directory: Path = directory
        self._note = note
        self._found = found = scan(directory)
        for left_out in found.left_out:
            note(left_out)
        self._chosen = evenly_spaced(len(found.pictures), limit or len(found.pictures))
        self._names: list[str] = [found.pictures[i] for i in self._chosen]
        self._size, self._skip_broken = size, skip_broken
        self.unreadable: dict[int, UnreadableError] = {}
        self.further: dict[int, int] = {}

    def images(self, progress: Progress | None) -> torch.Tensor:
        """uint8 (number of readable files, 3, H, W), in the order of the files."""
        first, shape = self._first()
        check_room(str(self._directory), len(self._names), shape)
        images = torch.empty((len(self._names), *shape), dtype=torch.uint8)
        self._each(first, shape, images.__setitem__, progress)
        for place, i in enumerate(self.readable):
            if place != i:
                images[place] = images[i]
        return images[: len(self.readable)]

    def prints(self, progress: Progress | None) -> tuple[tuple[bytes, ...], tuple[int, int, int]]:
        """What tells the pixels of each readable file apart, and the shape of all of them."""
        first, shape = self._first()
        prints: dict[int, bytes] = {}

        def keep(i: int, image: torch.Tensor) -> None:
            prints[i] = print_of(image)

        self._each(first, shape, keep, progress)
        return tuple(prints[i] for i in self.readable), shape

    def named(self, keep_empty: bool) -> tuple[torch.Tensor, tuple[str, ...]]:
        """The labels int64 of what was read, and the classes; tells what was left out."""
        found = self._found
        asked = [found.classes[found.labels[i]] for i in self._chosen]
        kept = [asked[i] for i in self.readable]
        # A limit may leave a class without samples; only what cannot be read loses a class.
        without = sorted({*found.empty, *(set(asked) - set(kept))})
        left_out_classes = [] if keep_empty else without
        classes = sorted({*found.classes, *found.empty} - set(left_out_classes))
        for what, names in (
            *self._left_out().items(),
            ("class folders without a picture that can be read", left_out_classes),
        ):
            if names:
                self._note(LeftOut(str(self._directory), what, tuple(names)))
        place = {name: label for label, name in enumerate(classes)}
        return torch.tensor([place[name] for name in kept], dtype=torch.int64), tuple(classes)

    @property
    def readable(self) -> list[int]:
        """Indices of the files that were read, ascending."""
        return [i for i in range(len(self._names)) if i not in self.unreadable]

    def path(self, i: int) -> Path:
        """Of file i."""
        return self._directory / self._names[i]

    def _left_out(self) -> dict[str, list[str]]:
        """What was left out, by kind, under its name."""
        kinds: dict[str, list[str]] = {}
        for i, error in sorted(self.unreadable.items()):
            kinds.setdefault(error.what, []).append(self._names[i])
        if self.further:
            kinds["further frames or pages of pictures"] = [
                f"{self._names[i]}, {count:,}" for i, count in sorted(self.further.items())
            ]
        return kinds

    def _each(
        self,
        first: int,
        shape: tuple[int, int, int],
        take: Callable[[int, torch.Tensor], None],
        progress: Progress | None,
    ) -> None:
        """Hands over every file that can be read. Raises DataError where one is not of `shape`."""

        def look(i: int) -> None:
            image = self._decoded(i)
            if image is None:
                return
            if tuple(image.shape) != shape:
                raise DataError(
                    f"{self.path(i)} is {_width_by_height(image.shape)} pixels, "
                    f"{self.path(first)} is {_width_by_height(shape)}: "
                    "give a size to resize all images to"
                )
            take(i, image)

        _in_threads(look, len(self._names), progress)

    def _first(self) -> tuple[int, tuple[int, int, int]]:
        """Index and shape of the first file that can be read."""
        for i in range(len(self._names)):
            image = self._decoded(i)
            if image is not None:
                return i, (image.shape[0], image.shape[1], image.shape[2])
        raise DataError(f"none of {len(self._names):,} pictures can be read: {self.unreadable[0]}")

    def _decoded(self, i: int) -> torch.Tensor | None:
        """File i as uint8 (3, H, W); None when it is to be skipped."""
        try:
            image, frames = _decode(self.path(i), self._size)
        except UnreadableError as error:
            if not self._skip_broken:
                raise
            self.unreadable[i] = error
            return None
        if frames > 1:
            self.further[i] = frames - 1
        return image


def _in_threads(work: Callable[[int], None], total: int, progress: Progress | None) -> None:
    # Threads suffice: PIL leaves the interpreter lock while it decodes.
    with ThreadPoolExecutor() as pool:
        for start in range(0, total, _CHUNK):
            end = min(start + _CHUNK, total)
            list(pool.map(work, range(start, end)))  # list(): raises what a worker raised
            if progress is not None:
                progress(end, total)


def _decode(path: Path, size: int | None) -> tuple[torch.Tensor, int]:
    """The upright picture as uint8 (3, H, W), and how many frames or pages its file has."""
    with opened(path, str(path)) as image:
        frames = getattr(image, "n_frames", 1)
        pixels = upright(image)
    return (pixels if size is None else resize(pixels[None], size, size)[0]), frames


def _width_by_height(shape: Sequence[int]) -> str:
    return f"{shape[2]}x{shape[1]}"
