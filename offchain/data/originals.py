"""Labelled pictures as the files that they are, read when they are asked for.

What is sold is these files, byte by byte; what they show is decoded for features alone, and a few
at a time. So a set larger than memory can be offered.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from offchain.data.folder import as_png
from offchain.data.imageset import DataError, ImageSet, Progress
from offchain.data.memory import check_room
from offchain.data.pictures import decoded

T = TypeVar("T")

BATCH, BATCH_BYTES = 64, 64 << 20
"""Pictures that are decoded at once, and most bytes of their pixels."""


@dataclass(frozen=True, eq=False)
class Originals:
    """Files with one label each.

    files: where each lies, or its bytes.
    labels: int64 (N,), indices into `classes`.
    classes: distinct names.
    shape: (C, H, W) of what features are made of; a file may have another size.
    prints: for each file what tells its pixels, in that shape, from others'.
    name: for people.
    """

    files: tuple[Path | bytes, ...]
    labels: torch.Tensor
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    prints: tuple[bytes, ...]
    name: str

    def __len__(self) -> int:
        return len(self.files)

    def content(self, i: int) -> bytes:
        """The bytes of file i. Raises DataError where it is gone."""
        file = self.files[i]
        return file if isinstance(file, bytes) else _tried(file, file.read_bytes)

    def size(self, i: int) -> int:
        """How many bytes file i has. Raises DataError where it is gone."""
        file = self.files[i]
        return len(file) if isinstance(file, bytes) else _tried(file, file.stat).st_size

    def subset(
        self, indices: torch.Tensor | npt.NDArray[np.int64] | Sequence[int], name: str | None = None
    ) -> Originals:
        """The files at `indices`, in that order."""
        chosen = torch.as_tensor(indices).tolist()
        return replace(
            self,
            files=tuple(self.files[i] for i in chosen),
            labels=self.labels[chosen],
            prints=tuple(self.prints[i] for i in chosen),
            name=self.name if name is None else name,
        )

    @property
    def lie_in_files(self) -> bool:
        """Whether these are somebody's files; else they were made of pixels, which are all."""
        return any(isinstance(file, Path) for file in self.files)

    def distinct(self) -> int:
        """How many are no copies of others, by what they show."""
        return len(set(self.prints))


def _tried(path: Path, call: Callable[[], T]) -> T:
    try:
        return call()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def originals_of(images: ImageSet) -> Originals:
    """Pictures that lie in no files, as PNG files, which lose nothing."""
    return Originals(
        tuple(as_png(image) for image in images.images),
        images.labels,
        images.classes,
        images.shape,
        tuple(print_of(image) for image in images.images),
        images.name,
    )


def images_of(originals: Originals, progress: Progress) -> ImageSet:
    """What all files show, in memory. progress: called in pictures.

    Raises DataError where there is too little memory, or a file changed since it was opened.
    """
    count = len(originals)
    check_room(originals.name, count, originals.shape)
    images = torch.empty((count, *originals.shape), dtype=torch.uint8)
    for i in range(count):
        images[i] = decoded(originals.content(i), f"{originals.name}: file {i}", originals.shape)
        progress(i + 1, count)
    return ImageSet(images, originals.labels, originals.classes, originals.name)


def pictures_of(
    files: Sequence[bytes],
    shape: tuple[int, int, int],
    told: str,
    before_each: Callable[[], None] | None = None,
) -> Iterator[torch.Tensor]:
    """What files show, uint8 (N, *shape), some at a time: N is BATCH at most, and as many as have
    BATCH_BYTES in all.

    told: what errors call them, with their number. before_each: called before a file is decoded,
    which may take seconds. Raises UnreadableError, and what `before_each` does.
    """

    def one(i: int) -> torch.Tensor:
        if before_each:
            before_each()
        return decoded(files[i], f"{told} {i}", shape)

    step = max(1, min(BATCH, BATCH_BYTES // math.prod(shape)))
    for start in range(0, len(files), step):
        yield torch.stack([one(i) for i in range(start, min(start + step, len(files)))])


def print_of(image: torch.Tensor) -> bytes:
    """SHA-256 of the pixels of one picture uint8 (C, H, W)."""
    return hashlib.sha256(np.ascontiguousarray(image.numpy()).data).digest()
