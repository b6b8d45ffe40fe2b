"""Bought pictures as a folder by class, with the task and what proves them beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import torch

from offchain.data.folder import folder_names, write_folder
from offchain.data.imagefolder import load_folder
from offchain.data.imageset import ImageSet, Progress
from offchain.files import write_whole
from offchain.task import Task

PROOF, TASK = "proof.json", "task.json"


def write_bought(
    images: ImageSet, task: Task, proof: Mapping[str, Any], folder: Path, progress: Progress
) -> None:
    """Writes pictures, which have the task's classes, and both documents beside them.

    The proof gets what `read_back` needs to know, and the pictures' digest. Raises DataError where
    the folder is there.
    """
    names = folder_names(task.classes)
    write_folder(replace(images, classes=names), folder, progress)
    said = {
        **proof,
        "shape": list(images.shape),
        "classes": dict(zip(names, task.classes, strict=True)),
        "sha256": images.digest(),
    }
    write_whole(folder / TASK, task.to_bytes())
    write_whole(folder / PROOF, (json.dumps(said, indent=2) + "\n").encode())


def read_back(folder: Path) -> ImageSet:
    """The pictures of an exported folder, in the order in which they were sold.

    Raises ClickException for a folder without its proof, DataError.
    """
    try:
        proof = json.loads((folder / PROOF).read_text())
        channels, classes = int(proof["shape"][0]), dict(proof["classes"])
        task = Task.from_bytes((folder / TASK).read_bytes())
        names = [classes[name] for name in folder_names(task.classes)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{folder} has no proof that can be read: {error!r}") from error
    # proof.json and task.json are left out, which needs no telling.
    read = load_folder(folder, keep_empty=True, note=lambda _: None)
    paths = [path for name in read.classes for path in sorted((folder / name).glob("*.png"))]
    order = torch.tensor(sorted(range(len(paths)), key=lambda i: int(paths[i].stem)))
    images = read.images if channels == 3 else read.images[:, :1]
    if len(paths) != len(read) or tuple(names) != task.classes:
        raise click.ClickException(f"{folder} has other files than those that were exported")
    label_of = torch.tensor([task.classes.index(classes[name]) for name in read.classes])
    return ImageSet(
        images[order].contiguous(), label_of[read.labels][order], task.classes, read.name
    )
