"""Listings that were begun: what the same command goes on with, wherever it was killed.

A listing's id follows from its task, which names the addresses of the seller's node, and that node
may listen elsewhere the next time. So the task is on disk before the listing is sent.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import click

from offchain.files import write_whole
from offchain.task import Task, TaskError


@dataclass(frozen=True)
class Begun:
    """What is, or may be, listed.

    Attributes:
        task: what is said of the pictures, whose CID it lacks. closing: when its seller closes, in
            Unix seconds. block: after which it was listed. folder: what was masked, "" for what
            has another place.
    """

    task: Task
    closing: int
    block: int
    folder: str = ""


class Kept:
    """The listing that one command began, in a file of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Begun | None:
        """What was begun; None for nothing. Raises ClickException for a file that is none."""
        if not self._path.exists():
            return None
        try:
            said = json.loads(self._path.read_bytes())
            task = Task.from_bytes(said["task"].encode())
            closing, block = int(said["closing"]), int(said["block"])
            return Begun(task, closing, block, str(said.get("folder", "")))
        except (ValueError, KeyError, TypeError, AttributeError, TaskError) as error:
            raise click.ClickException(f"{self._path} is no listing: {error!r}") from error

    def write(self, begun: Begun) -> None:
        """Keeps it, before anything is sent."""
        said = {
            "task": begun.task.to_bytes().decode(),
            "closing": begun.closing,
            "block": begun.block,
            "folder": begun.folder,
        }
        write_whole(self._path, json.dumps(said).encode())

    def forget(self) -> None:
        """Whoever calls again wants another listing."""
        self._path.unlink(missing_ok=True)
