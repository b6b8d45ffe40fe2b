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
from offchain.storage import cid_of, digest_of
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


def read_back(folder: Path, task: bytes, facts: Mapping[str, Any] | None = None) -> ImageSet:
    """The pictures of an exported folder, in the order in which they were sold.

    Both documents lie in the folder, where anybody may have written: the task must be the one with
    the digest `task`, which terms carry, and of the proof what is known must be so.

    facts: what the proof must say besides the task's licence and the pictures' digest. Raises
    ClickException for a folder without its proof, or with another; DataError.
    """
    try:
        proof = json.loads((folder / PROOF).read_text())
        channels, classes = int(proof["shape"][0]), dict(proof["classes"])
        agreed = (folder / TASK).read_bytes()
        if digest_of(cid_of(agreed)) != task:
            raise click.ClickException(f"{folder / TASK} is not the task that was agreed on")
        asked = Task.from_bytes(agreed)
        names = [classes[name] for name in folder_names(asked.classes)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{folder} has no proof that can be read: {error!r}") from error
    # proof.json and task.json are left out, which needs no telling.
    read = load_folder(folder, keep_empty=True, note=lambda _: None)
    paths = [path for name in read.classes for path in sorted((folder / name).glob("*.png"))]
    order = torch.tensor(sorted(range(len(paths)), key=lambda i: int(paths[i].stem)))
    images = read.images if channels == 3 else read.images[:, :1]
    if len(paths) != len(read) or tuple(names) != asked.classes:
        raise click.ClickException(f"{folder} has other files than those that were exported")
    label_of = torch.tensor([asked.classes.index(classes[name]) for name in read.classes])
    found = ImageSet(
        images[order].contiguous(), label_of[read.labels][order], asked.classes, read.name
    )
    known = {"licence": asked.licence, "sha256": found.digest(), **(facts or {})}
    if odd := [name for name, value in known.items() if proof.get(name, value) != value]:
        raise click.ClickException(f"{folder / PROOF} is not what was sold: {', '.join(odd)}")
    return found
