"""Which files below a folder are pictures of which class, and what else lies there.

Reads names and links, and opens no file.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from offchain.data.imageset import DataError
from offchain.data.leftout import LeftOut, shortened

PICTURES = (
    *(".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"),
    ".gif",
)
"""Endings of the files that are read, in lower case: those that torchvision reads, and GIF."""

_NOT_DATA = frozenset({"__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"})
"""Folders that systems and archivers leave behind under names without a leading dot."""

_SPLITS = frozenset(
    ("train", "training", "val", "valid", "validation", "dev", "test", "testing", "eval", "extra")
)
"""Names that people give to the splits of a set, in lower case."""


@dataclass(frozen=True)
class Scan:
    """The pictures of a folder.

    classes: names of the folders that hold pictures, sorted.
    empty: names of the folders that hold none, sorted.
    pictures: paths below the folder, by class, in a class by folder, in a folder by name.
    labels: for each picture the index of its class.
    left_out: the rest, by kind; empty class folders are not among it.
    """

    classes: tuple[str, ...]
    empty: tuple[str, ...]
    pictures: tuple[str, ...]
    labels: tuple[int, ...]
    left_out: tuple[LeftOut, ...]


def scan(directory: Path) -> Scan:
    """What lies below `directory`, a folder of one folder per class.

    Pictures may lie deeper in a class's folder. Links are followed, but nothing is read twice:
    what lies in the folder itself comes first, then links in the order of their names.

    Raises DataError when no folder holds a picture, and when folders hold further folders of
    pictures in place of pictures, as the splits of a set do: it names those.
    """
    walk = _Walk(directory)
    pictures, strays, others = [], [], []
    for file in sorted(walk.files, key=lambda file: (_class(file), *file.rpartition("/"))):
        if os.path.splitext(file)[1].lower() not in PICTURES:
            others.append(file)
        elif "/" not in file:
            strays.append(file)
        else:
            pictures.append(file)
    _refuse_splits(directory, pictures)
    classes = sorted({_class(picture) for picture in pictures})
    if not classes:
        raise DataError(
            f"{directory} is no image folder: no folder in it holds a picture "
            f"({', '.join(ending[1:] for ending in PICTURES)})"
        )
    index = {name: label for label, name in enumerate(classes)}
    kinds = {
        "hidden files or folders": walk.hidden,
        "links to what is read elsewhere or to a folder above": walk.repeated,
        "pictures that lie in no class's folder": strays,
        "files that are no pictures by their ending": others,
    }
    return Scan(
        tuple(classes),
        tuple(sorted(walk.top - set(classes))),
        tuple(pictures),
        tuple(index[_class(picture)] for picture in pictures),
        tuple(
            LeftOut(str(directory), what, tuple(sorted(paths)))
            for what, paths in kinds.items()
            if paths
        ),
    )


def _class(path: str) -> str:
    return path.partition("/")[0]


class _Walk:
    """All that lies below a folder; paths are text, below it, since there may be millions.

    files: what is to be looked at. hidden, repeated: what was not entered. top: names of the
    folders that lie in the folder itself.
    """

    def __init__(self, root: Path) -> None:
        self.files: list[str] = []
        self.hidden: list[str] = []
        self.repeated: list[str] = []
        self.top: set[str] = set()
        self._root = root
        self._real = os.path.realpath(root)
        self._seen = {self._real}
        self._links: list[str] = []
        self._enter("", self._real)
        for link in self._links:  # grows while links lead to folders that hold links
            self._follow(link)

    def _enter(self, folder: str, real: str) -> None:
        """Notes what lies in `folder`, whose real path is `real`."""
        for name, is_link, is_folder in _entries(self._root / folder):
            path = f"{folder}/{name}" if folder else name
            if name.startswith(".") or name in _NOT_DATA:
                self.hidden.append(path)
            elif is_link:
                self._links.append(path)
            else:
                self._take(path, f"{real}/{name}", is_folder)

    def _follow(self, link: str) -> None:
        real = os.path.realpath(self._root / link)
        place = os.path.realpath((self._root / link).parent)
        if any(PurePath(below).is_relative_to(real) for below in (place, self._real)):
            self.repeated.append(link)
        else:
            self._take(link, real, os.path.isdir(real))

    def _take(self, path: str, real: str, is_folder: bool) -> None:
        if real in self._seen:
            self.repeated.append(path)
            return
        self._seen.add(real)
        if not is_folder:
            self.files.append(path)
            return
        if "/" not in path:
            self.top.add(path)
        self._enter(path, real)


def _entries(folder: Path) -> Iterator[tuple[str, bool, bool]]:
    """Name, whether it is a link, whether it is a folder, of all in `folder`, by name."""
    with os.scandir(folder) as found:
        entries = sorted(found, key=lambda entry: entry.name)
    for entry in entries:
        yield entry.name, entry.is_symlink(), entry.is_dir(follow_symlinks=False)


def _refuse_splits(directory: Path, pictures: list[str]) -> None:
    """Raises DataError when the folders in `directory` hold classes and are none."""
    inner: dict[str, set[str]] = defaultdict(set)
    direct = set()
    for picture in pictures:
        first, second, *deeper = picture.split("/", 2)
        if deeper:
            inner[first].add(second)
        else:
            direct.add(first)
    splits = [name for name in inner if name not in direct or name.lower() in _SPLITS]
    if splits:
        held = "; ".join(
            f"{name}: {shortened(tuple(sorted(inner[name])))}" for name in sorted(splits)[:3]
        )
        instead = shortened(tuple(str(directory / name) for name in sorted(splits)))
        raise DataError(
            f"{directory} holds folders of classes, not of pictures ({held}): name one of them "
            f"instead, {instead}"
        )
