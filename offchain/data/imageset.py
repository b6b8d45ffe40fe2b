"""A labelled set of images in memory, and disjoint splits of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt
import torch

from offchain.data.seeds import generator
from offchain.errors import SoukError

Progress = Callable[[int, int], None]
"""Called as `progress(done, total)` by long loops."""

MAX_CLASSES = 65_536
"""Upper bound on the number of classes; a label from outside never reaches it."""

_DIGEST_TAG = b"souk.imageset.v1"


class DataError(SoukError):
    """Data, or a request for data, that cannot be used; the message is one line for people."""


def check_samples(images: torch.Tensor, labels: torch.Tensor) -> None:
    """Check what holds for samples whatever their classes are called.

    `images` is uint8 (N, C, H, W) with N, H, W >= 1 and C 1 or 3; `labels` is int64 (N,) with
    values in [0, MAX_CLASSES). Raises DataError naming the value that is out of bounds.
    """
    if images.dtype != torch.uint8:
        raise DataError(f"images must be uint8, not {images.dtype}")
    shape = tuple(images.shape)
    if len(shape) != 4 or min(shape) < 1 or shape[1] not in (1, 3):
        raise DataError(f"images must be (N, C, H, W), none empty, C 1 or 3, not {shape}")
    if labels.dtype != torch.int64:
        raise DataError(f"labels must be int64, not {labels.dtype}")
    if tuple(labels.shape) != shape[:1]:
        raise DataError(f"labels must be ({shape[0]},) as the images, not {tuple(labels.shape)}")
    if images.device.type != "cpu" or labels.device.type != "cpu":
        raise DataError(f"an image set lives on the CPU, not on {images.device}, {labels.device}")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= MAX_CLASSES:
        raise DataError(f"labels must lie in 0..{MAX_CLASSES - 1}, found {low}..{high}")


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images with one label each.

    images: uint8 (N, C, H, W), 0..255, C is 1 (grey) or 3 (RGB), on the CPU.
    labels: int64 (N,), indices into `classes`.
    classes: distinct names, label c is called `classes[c]`.
    name: for people and reports; two sets of the same content may differ in it.

    Raises DataError naming what is wrong. Compare contents by `digest()`.
    """

    images: torch.Tensor
    labels: torch.Tensor
    classes: tuple[str, ...]
    name: str

    def __post_init__(self) -> None:
        check_samples(self.images, self.labels)
        if not 1 <= len(self.classes) <= MAX_CLASSES:
            raise DataError(f"an image set has 1 to {MAX_CLASSES} classes, not {len(self.classes)}")
        if len(set(self.classes)) != len(self.classes):
            raise DataError(f"class names must be distinct: {', '.join(self.classes)}")
        if int(self.labels.max()) >= len(self.classes):
            raise DataError(
                f"label {int(self.labels.max())} is out of range for {len(self.classes)} classes"
            )

    def __len__(self) -> int:
        return len(self.images)

    @property
    def inputs(self) -> torch.Tensor:
        """The images: what models take, whatever a dataset holds."""
        return self.images

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def subset(
        self, indices: torch.Tensor | npt.NDArray[np.int64] | Sequence[int], name: str | None = None
    ) -> ImageSet:
        """The samples at `indices` (integers in [0, N), at least one), copied, in that order."""
        chosen = torch.as_tensor(indices)
        if chosen.dim() != 1 or chosen.dtype.is_floating_point or chosen.dtype == torch.bool:
            raise DataError(
                f"indices must be a flat list of integers, not {chosen.dtype} {tuple(chosen.shape)}"
            )
        if len(chosen) == 0:
            raise DataError("a subset needs at least one index")
        low, high = int(chosen.min()), int(chosen.max())
        if low < 0 or high >= len(self):
            raise DataError(f"indices {low}..{high} leave the range 0..{len(self) - 1}")
        chosen = chosen.long()
        return replace(
            self,
            images=self.images[chosen],
            labels=self.labels[chosen],
            name=self.name if name is None else name,
        )

    def digest(self) -> str:
        """SHA-256, in hex, of the content: shape, classes, labels and pixels, in order.

        The name is left out. Equal digests prove that two sets, one before the sale and one
        decrypted after it, are the same; reordered samples give another digest.
        """
        # The header's length comes first, so that no header runs into the labels behind it.
        header = json.dumps([list(self.images.shape), list(self.classes)]).encode()
        state = hashlib.sha256(_DIGEST_TAG + len(header).to_bytes(8, "little") + header)
        state.update(np.ascontiguousarray(self.labels.numpy(), dtype="<i8").data)
        state.update(np.ascontiguousarray(self.images.numpy()).data)
        return state.hexdigest()


class Split(Protocol):
    """Labelled samples of whatever kind, which can be split."""

    @property
    def name(self) -> str:
        """For people."""

    @property
    def labels(self) -> torch.Tensor:
        """int64 (N,)."""

    def __len__(self) -> int: ...

    def subset(self, indices: npt.NDArray[np.int64], name: str | None = None) -> Self:
        """The samples at `indices`, in that order."""


S = TypeVar("S", bound=Split)


def split(
    imageset: S, parts: int | Sequence[int], seed: int, *, stratified: bool = True
) -> list[S]:
    """Disjoint parts of `imageset`, each in random order, the same for the same seed.

    parts: a number of parts, whose sizes then differ by at most one and which use every
        sample; or the sizes themselves, and what they do not use is left out.
    stratified: every part has each class in the proportion of the whole set, up to rounding;
        otherwise the parts are plain random draws.

    Raises DataError when a part would be empty or the sizes ask for more than there is.
    """
    sizes = _part_sizes(len(imageset), parts)
    rng = generator(seed, "split")
    order = rng.permutation(len(imageset))
    if stratified:
        order = order[_spread_classes(imageset.labels.numpy()[order], rng)]
    cuts = np.cumsum(sizes)
    return [
        # Neighbours in a spread order take turns by class, hence the second shuffle.
        imageset.subset(rng.permutation(order[end - size : end]), f"{imageset.name}/part{i}")
        for i, (size, end) in enumerate(zip(sizes, cuts, strict=True))
    ]


def _part_sizes(available: int, parts: int | Sequence[int]) -> list[int]:
    if isinstance(parts, int):
        if not 1 <= parts <= available:
            raise DataError(f"{available} samples split into 1 to {available} parts, not {parts}")
        return [available // parts + (i < available % parts) for i in range(parts)]
    sizes = list(parts)
    if not sizes or min(sizes) < 1:
        raise DataError(f"the sizes of the parts must be 1 or more, not {sizes}")
    if sum(sizes) > available:
        raise DataError(f"parts of {sizes} need {sum(sizes)} samples, {available} are available")
    return sizes


def _spread_classes(
    labels: npt.NDArray[np.int64], rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """An order in which every run of consecutive samples has nearly the overall class shares.

    Sample j of the n_c samples of class c goes to (j + u_c) / n_c of the way, u_c in [0, 1).
    """
    counts = np.bincount(labels)
    by_class = np.argsort(labels, kind="stable")
    rank = np.empty(len(labels), dtype=np.int64)
    rank[by_class] = np.arange(len(labels)) - (np.cumsum(counts) - counts)[labels[by_class]]
    place = (rank + rng.random(len(counts))[labels]) / counts[labels]
    return np.argsort(place, kind="stable")
