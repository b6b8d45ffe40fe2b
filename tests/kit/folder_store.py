"""A datastore in a folder, which outlives the process that wrote it."""

from __future__ import annotations

from pathlib import Path

from offchain.files import write_whole
from offchain.storage import cid_of
from tests.kit.memory_store import MemoryStore


class FolderStore(MemoryStore):
    """As the memory store, but for a file for each content, which whoever shares it finds too."""

    def __init__(self, folder: Path) -> None:
        super().__init__({})
        self.folder = folder

    def put(self, data):
        write_whole(self.folder / cid_of(data), data)
        return super().put(data)

    def get(self, cid, max_bytes=None):
        if (path := self.folder / cid).exists():
            self.network[cid] = path.read_bytes()
        return super().get(cid, max_bytes)
