"""An image set as a folder of PNG files, one folder for each class."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from PIL import Image

from offchain.data.imageset import DataError, ImageSet, Progress

_CHUNK = 256


def in_folder_order(imageset: ImageSet) -> ImageSet:
    """`imageset` as a folder of it reads back: classes by folder name, samples by class.

    Raises DataError when two classes would share a folder.
    """
    names = folder_names(imageset.classes)
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


def folder_names(classes: Sequence[str]) -> tuple[str, ...]:
    """What the folders of classes are called: "/" is written "-", and a leading "." is "_".

    After ".json" and ".bin" follows "_": such files lie beside the folders.

    Raises DataError when two classes would share a folder.
    """
    names = tuple(_folder(name) for name in classes)
    if len(set(names)) != len(names):
        raise DataError(f"class names that make the same folder: {', '.join(classes)}")
    return names


def write_folder(imageset: ImageSet, folder: Path, progress: Progress | None = None) -> None:
    """Writes `folder`/<class>/<number>.png, and removes what it wrote if it cannot finish.

    imageset: its classes are `folder_names`; numbers are places in it. progress: called in images.
    Raises DataError when `folder` exists.
    """
    if folder.exists():
        raise DataError(f"{folder} exists: name a folder that does not")
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


def as_png(image: torch.Tensor) -> bytes:
    """uint8 (C, H, W), grey or RGB, as a PNG file, which loses nothing."""
    file = io.BytesIO()
    as_picture(image).save(file, "PNG")
    return file.getvalue()


def as_picture(image: torch.Tensor) -> Image.Image:
    """uint8 (C, H, W) as PIL has it, grey or RGB."""
    if len(image) == 1:
        return Image.fromarray(image[0].numpy())
    return Image.fromarray(image.permute(1, 2, 0).contiguous().numpy())


def _folder(name: str) -> str:
    safe = name.replace("/", "-").replace("\0", "-")
    safe = "_" + safe[1:] if safe.startswith(".") else safe
    return f"{safe}_" if safe.endswith((".json", ".bin")) else safe
