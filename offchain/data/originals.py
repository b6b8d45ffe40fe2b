"""Labelled records as they are, read when they are asked for: picture files, rows, texts.

What is sold is these records, byte by byte; what they show is decoded for features alone, and a few
at a time. So a set of pictures larger than memory can be offered.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from offchain.data.folder import as_png
from offchain.data.form import Form, Pictures
from offchain.data.imageset import DataError, ImageSet, Progress
from offchain.data.memory import check_room
from offchain.data.pictures import decoded

T = TypeVar("T")

BATCH, BATCH_BYTES = 64, 64 << 20
"""Records that are decoded at once, and most bytes of what they show."""
MAX_INPUTS = 1 << 28
"""Numbers of all records that are held in memory at once."""


@dataclass(frozen=True, eq=False)
class Originals:
    """Records with one label each.

    files: where each lies, or its bytes.
    labels: int64 (N,), indices into `classes`.
    classes: distinct names.
    form: what the records are.
    prints: for each record what tells what it shows from others.
    name: for people.
    """

    files: tuple[Path | bytes, ...]
    labels: torch.Tensor
    classes: tuple[str, ...]
    form: Form
    prints: tuple[bytes, ...]
    name: str

    def __len__(self) -> int:
        return len(self.files)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one sample, as a task says it."""
        return self.form.shape

    @cached_property
    def inputs(self) -> torch.Tensor:
        """What all records show, (N, *form.values), in memory. Raises UnreadableError."""
        room = len(self) * math.prod(self.form.values)
        if room > MAX_INPUTS:
            raise DataError(
                f"{self.name}: {len(self):,} samples of {math.prod(self.form.values):,} numbers, "
                f"at most {MAX_INPUTS:,} in all are held: name a part of it"
            )
        contents = [self.content(i) for i in range(len(self))]
        return torch.cat(list(shown(contents, self.form, f"{self.name}: sample")))

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


Dataset = ImageSet | Originals
"""Labelled samples: pictures in memory, or records."""


def form_of(samples: Dataset) -> Form:
    """What its records are."""
    return samples.form if isinstance(samples, Originals) else Pictures(samples.shape)


def _tried(path: Path, call: Callable[[], T]) -> T:
    try:
        return call()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from error


def originals_of(images: ImageSet | Originals) -> Originals:
    """Pictures that lie in no files, as PNG files, which lose nothing; records as they are."""
    if isinstance(images, Originals):
        return images
    return Originals(
        tuple(as_png(image) for image in images.images),
        images.labels,
        images.classes,
        Pictures(images.shape),
        tuple(print_of(image) for image in images.images),
        images.name,
    )


def images_of(originals: Originals, progress: Progress) -> ImageSet:
    """What all files show, in memory. progress: called in pictures.

    Raises DataError where there is too little memory, or a file changed since it was opened.
    """
    count, form = len(originals), originals.form
    if not isinstance(form, Pictures):
        raise DataError(f"{originals.name} holds no pictures")
    check_room(originals.name, count, form.shape)
    images = torch.empty((count, *form.shape), dtype=torch.uint8)
    for i in range(count):
        images[i] = decoded(originals.content(i), f"{originals.name}: file {i}", form.shape)
        progress(i + 1, count)
    return ImageSet(images, originals.labels, originals.classes, originals.name)


def shown(
    files: Sequence[bytes],
    form: Form,
    told: str,
    before_each: Callable[[], None] | None = None,
) -> Iterator[torch.Tensor]:
    """What records show, (N, *form.values), some at a time: N is BATCH at most, and as many as
    have BATCH_BYTES in all.

    told: what errors call them, with their number. before_each: called before one is decoded,
    which may take seconds. Raises UnreadableError, and what `before_each` does.
    """

    def one(i: int) -> torch.Tensor:
        if before_each:
            before_each()
        return form.decoded(files[i], f"{told} {i}")

    step = max(1, min(BATCH, BATCH_BYTES // math.prod(form.values)))
    for start in range(0, len(files), step):
        yield torch.stack([one(i) for i in range(start, min(start + step, len(files)))])


def print_of(sample: torch.Tensor) -> bytes:
    """SHA-256 of what one record shows."""
    return hashlib.sha256(np.ascontiguousarray(sample.numpy()).data).digest()
