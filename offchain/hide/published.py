"""Masked and cleaned datasets on disk: a folder of PNG files per class, and one compact file.

The folder is what people look at and crawlers take; the file loads at once. Both hold the same
images in the same order, so that either has the identity a cleaner is bound to.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from PIL import Image

from offchain.data.imagefolder import load_folder
from offchain.data.imageset import ImageSet, Progress
from offchain.data.leftout import Note, warn
from offchain.hide.container import MAX_FILE_BYTES, pack, read_bytes, unpack
from offchain.hide.errors import CleanerHeader, HideError

_KIND = "dataset"
_CHUNK = 256


def in_folder_order(imageset: ImageSet) -> ImageSet:
    """`imageset` as a folder of it reads back: classes by folder name, samples by class.

    Class names become folder names: "/" is written "-", and a leading "." is written "_".
    Raises HideError when two classes would share a folder.
    """
    names = [_folder(name) for name in imageset.classes]
    if len(set(names)) != len(names):
        raise HideError(f"class names that make the same folder: {', '.join(imageset.classes)}")
    order = sorted(range(len(names)), key=names.__getitem__)
    place = torch.empty(len(names), dtype=torch.int64)
    place[torch.tensor(order)] = torch.arange(len(names))
    labels = place[imageset.labels]
    sorted_ = labels.argsort(stable=True)
    return ImageSet(
        imageset.images[sorted_].contiguous(),
        labels[sorted_],
        tuple(names[i] for i in order),
        imageset.name,
    )


def write_folder(imageset: ImageSet, folder: Path, progress: Progress | None = None) -> None:
    """Writes `folder`/<class>/<number>.png, and removes what it wrote if it cannot finish.

    imageset: in folder order. progress: called in images. Raises HideError when `folder` exists.
    """
    if folder.exists():
        raise HideError(f"{folder} exists: name a folder that does not")
    digits = len(str(len(imageset)))
    beside = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(beside, ignore_errors=True)
    for name in imageset.classes:
        (beside / name).mkdir(parents=True)

    def save(i: int) -> None:
        name = imageset.classes[int(imageset.labels[i])]
        as_picture(imageset.images[i]).save(beside / name / f"{i:0{digits}d}.png")

    try:
        with ThreadPoolExecutor() as pool:
            for start in range(0, len(imageset), _CHUNK):
                end = min(start + _CHUNK, len(imageset))
                list(pool.map(save, range(start, end)))  # list(): raises what a worker raised
                if progress is not None:
                    progress(end, len(imageset))
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def encode_dataset(imageset: ImageSet) -> bytes:
    """The bytes that are published of a masked dataset; `decode_dataset` reads them."""
    said = {"classes": list(imageset.classes), "name": imageset.name}
    return pack(_KIND, said, {"images": imageset.images, "labels": imageset.labels})


def decode_dataset(data: bytes) -> ImageSet:
    """The dataset in untrusted bytes. Raises a CleanerError or DataError saying what is wrong."""
    said, tensors = unpack(
        data, _KIND, {"classes": list, "name": str}, {"images", "labels"}, MAX_FILE_BYTES
    )
    if not all(isinstance(name, str) for name in said["classes"]):
        raise CleanerHeader("the classes of a dataset are names")
    return ImageSet(tensors["images"], tensors["labels"], tuple(said["classes"]), said["name"])


def load_published(path: Path, note: Note = warn, progress: Progress | None = None) -> ImageSet:
    """A masked dataset from its compact file or its folder; `note` as in `load_folder`.

    A folder all of whose pictures are grey is read as grey, since `write_folder` wrote it so.
    """
    if path.is_file():
        return decode_dataset(read_bytes(path, _KIND))
    read = load_folder(path, keep_empty=True, note=note, progress=progress)
    red = read.images[:, :1]
    if _mode_of_first(path, read.classes) == "L" and bool((read.images == red).all()):
        return ImageSet(red.contiguous(), read.labels, read.classes, read.name)
    return read


def _mode_of_first(folder: Path, classes: Sequence[str]) -> str:
    for name in classes:
        for path in sorted((folder / name).glob("*.png"))[:1]:
            with Image.open(path) as image:
                return image.mode
    return ""


def as_picture(image: torch.Tensor) -> Image.Image:
    """uint8 (C, H, W) as PIL has it, grey or RGB."""
    if len(image) == 1:
        return Image.fromarray(image[0].numpy())
    return Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())


def _folder(name: str) -> str:
    safe = name.replace("/", "-").replace("\0", "-")
    return "_" + safe[1:] if safe.startswith(".") else safe
