"""Masked and cleaned datasets on disk: a folder of PNG files per class, and one compact file.

The folder is what people look at and crawlers take; the file loads at once. Both hold the same
images in the same order, so that either has the identity a cleaner is bound to.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from offchain.data.imagefolder import load_folder
from offchain.data.imageset import ImageSet, Progress
from offchain.data.leftout import Note, warn
from offchain.hide.container import MAX_FILE_BYTES, pack, read_bytes, unpack
from offchain.hide.errors import CleanerHeader

_KIND = "dataset"
_CHUNK = 256


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
