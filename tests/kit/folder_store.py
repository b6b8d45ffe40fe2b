"""A datastore in a folder, which outlives the process that wrote it."""

from __future__ import annotations

from pathlib import Path

from offchain.files import write_whole
from offchain.storage import cid_of
from tests.kit.memory_store import MemoryStore


class FolderStore(MemoryStore):
    """A datastore with a file for each content, which other processes read too."""

    def __init__(self, folder: Path) -> None:
        kept = folder.iterdir() if folder.exists() else ()
        super().__init__({path.name: path.read_bytes() for path in kept})
        self.folder = folder

    def put(self, data):
        write_whole(self.folder / cid_of(data), data)
        return super().put(data)
