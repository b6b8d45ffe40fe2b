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
    write_folder(replace(images, classes=folder_names(task.classes)), folder, progress)
    said = {**proof, "shape": list(images.shape), "sha256": images.digest()}
    write_documents(folder, task, said)


def read_back(folder: Path, task: bytes, facts: Mapping[str, Any] | None = None) -> ImageSet:
    """The pictures of an exported folder, in the order in which they were sold.

    facts: what the proof must say besides the task's licence and the pictures' digest. Raises
    ClickException for a folder without its proof, or with another; DataError.
    """
    proof, asked = read_documents(folder, task)
    try:
        channels = int(proof["shape"][0])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _unreadable(folder, error) from error
    # proof.json and task.json are left out, which needs no telling.
    read = load_folder(folder, keep_empty=True, note=lambda _: None)
    paths = [path for name in read.classes for path in sorted((folder / name).glob("*.png"))]
    order = torch.tensor(sorted(range(len(paths)), key=lambda i: int(paths[i].stem)))
    images = read.images if channels == 3 else read.images[:, :1]
    names = folder_names(asked.classes)
    if len(paths) != len(read) or set(names) != set(read.classes):
        raise click.ClickException(f"{folder} has other files than those that were exported")
    label_of = torch.tensor([names.index(name) for name in read.classes])
    found = ImageSet(
        images[order].contiguous(), label_of[read.labels][order], asked.classes, read.name
    )
    check_proof(folder, proof, asked, {"sha256": found.digest(), **(facts or {})})
    return found


def write_documents(folder: Path, task: Task, proof: Mapping[str, Any]) -> None:
    """Writes task and proof into a folder of pictures by class; the proof gets its folders' names
    of classes."""
    names = dict(zip(folder_names(task.classes), task.classes, strict=True))
    write_whole(folder / TASK, task.to_bytes())
    said = json.dumps({**proof, "classes": names}, indent=2) + "\n"
    write_whole(folder / PROOF, said.encode())


def read_documents(folder: Path, task: bytes) -> tuple[dict[str, Any], Task]:
    """What the proof in a folder says, and the task.

    Both lie in the folder, where anybody may have written: the task must be the one with the digest
    `task`, which terms carry. Raises ClickException.
    """
    try:
        proof = dict(json.loads((folder / PROOF).read_text()))
        agreed = (folder / TASK).read_bytes()
        if digest_of(cid_of(agreed)) != task:
            raise click.ClickException(f"{folder / TASK} is not the task that was agreed on")
        asked = Task.from_bytes(agreed)
        if dict(proof["classes"]) != dict(
            zip(folder_names(asked.classes), asked.classes, strict=True)
        ):
            raise click.ClickException(f"{folder} has other files than those that were exported")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(folder, error) from error
    return proof, asked


def check_proof(
    folder: Path, proof: Mapping[str, Any], task: Task, known: Mapping[str, Any]
) -> None:
    """Raises ClickException where the proof says otherwise than the task or what is `known`."""
    sure = {"licence": task.licence, **known}
    if missing := [name for name in sure if name not in proof]:
        raise click.ClickException(f"{folder / PROOF} lacks {', '.join(missing)}")
    if odd := [name for name, value in sure.items() if proof[name] != value]:
        raise click.ClickException(
            f"{folder / PROOF} is not what was sold: {', '.join(odd)}; it was changed, or a file "
            "beside it"
        )


def _unreadable(folder: Path, error: Exception) -> click.ClickException:
    return click.ClickException(f"{folder} has no proof that can be read: {error!r}")
