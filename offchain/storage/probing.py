"""Whether content can still be had, told from one block of it that is drawn, not from the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from offchain.storage.cid import RAW, cid_from_digest, codec_of, digest_of
from offchain.storage.datastore import (
    ContentCorrupted,
    ContentError,
    ContentMalformed,
    ContentMissing,
)
from offchain.storage.unixfs import Decoded, NotUnixfs, decode

MOST_BLOCKS = 64
"""Looked at of a content, and one more for each kilobyte of it."""
MOST_LEVELS = 8
"""Of a tree; at 174 links a node no content has more."""


def read_drawn(cid: str, draw: int, block_of: Callable[[str], bytes]) -> None:
    """Reads the root block of a content and, level by level, one of those below.

    draw: which ones, 0 or more. block_of: the block under a CID, which is checked here. Raises
    InvalidCid, ContentCorrupted, ContentMalformed and what `block_of` raises.
    """
    at = cid
    for _ in range(MOST_LEVELS):
        block = block_of(at)
        if hashlib.sha256(block).digest() != digest_of(at):
            raise ContentCorrupted(f"{cid}: a block of it, {at}, is answered with other bytes")
        if codec_of(at) == RAW:
            return
        try:
            links = decode(block).links
        except NotUnixfs as error:
            raise ContentMalformed(f"{cid} is not a UnixFS file: {error}") from error
        if not links:
            return
        draw, which = divmod(draw, len(links))
        at = cid_from_digest(links[which])
    raise ContentMalformed(f"{cid} has more than {MOST_LEVELS} levels of blocks")


def holds(cid: str, data: bytes, block_of: Callable[[str], bytes]) -> bool:
    """Whether the blocks below a CID, each of which belongs to its own, hold this very data.

    Then the node that answered the data is honest, however the blocks are laid out; a stranger may
    have them laid out so that nobody goes through all of them, which counts as that. block_of: the
    block under a CID, which is checked here.
    """
    waiting, at = [cid], 0
    for _ in range(MOST_BLOCKS + len(data) // 1024):
        if not waiting:
            return at == len(data)
        one = waiting.pop()
        try:
            block = block_of(one)
            if hashlib.sha256(block).digest() != digest_of(one):
                return False
            node = Decoded((), len(block), data=block) if codec_of(one) == RAW else decode(block)
        except ContentMissing:
            return False  # all of them were there for the data that was answered
        except (ContentError, NotUnixfs):
            return True
        if data[at : at + len(node.data)] != node.data:
            return False
        at += len(node.data)
        waiting += [cid_from_digest(link) for link in reversed(node.links)]
    return True
