"""The block files of a Kubo repository, looked at from outside the node.

The library has no call that says whether a block is there, and none that deletes one. Kubo keeps
each block in `blocks/`, in a file named by its multihash in base32, in a folder named by the two
letters before the last of that name (go-ds-flatfs, `next-to-last/2`).
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from offchain.storage.datastore import DatastoreUnavailable
from offchain.storage.unixfs import Decoded, decode

_MULTIHASH = b"\x12\x20"
_SHARDING = "/repo/flatfs/shard/v1/next-to-last/2"


class BlockAbsent(Exception):
    """A block that the repository lacks."""


class BlockDamaged(Exception):
    """A block file whose bytes have another hash than its name says."""


class BlockFiles:
    """The folder `blocks` of one repository. Blocks are named by their 32-byte sha2-256."""

    def __init__(self, repo: Path) -> None:
        self._folder = repo / "blocks"

    def check_layout(self) -> None:
        """Raises DatastoreUnavailable when the blocks are not stored as this class reads them."""
        marker = self._folder / "SHARDING"
        found = marker.read_text().strip() if marker.is_file() else "nothing"
        if found != _SHARDING:
            raise DatastoreUnavailable(f"{marker} says {found}, only {_SHARDING} can be read")

    def path(self, digest: bytes) -> Path:
        name = base64.b32encode(_MULTIHASH + digest).decode().rstrip("=")
        return self._folder / name[-3:-1] / f"{name}.data"

    def read(self, digest: bytes) -> bytes:
        """One block, checked. Raises BlockAbsent or BlockDamaged."""
        try:
            block = self.path(digest).read_bytes()
        except FileNotFoundError:
            raise BlockAbsent(digest.hex()) from None
        if hashlib.sha256(block).digest() != digest:
            raise BlockDamaged(digest.hex())
        return block

    def node(self, digest: bytes) -> Decoded:
        """One block, decoded. Raises BlockAbsent, BlockDamaged or NotUnixfs."""
        return decode(self.read(digest))

    def delete(self, digest: bytes) -> None:
        self.path(digest).unlink(missing_ok=True)
