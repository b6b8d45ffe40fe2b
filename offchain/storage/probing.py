"""What a few blocks of a content tell of the whole: whether it can be had, and who is to blame."""

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
from offchain.storage.unixfs import (
    NotUnixfs,
    decode,
    height_of,
    is_own,
    sizes_below,
    tree_digest,
)

MOST_LEVELS = 8
"""Of a tree; at 174 links a node no content has more."""
FEW = 8
"""Blocks below another that are all looked at in what one keeps oneself: documents, up to 2 MiB."""


def read_drawn(cid: str, draw: int, block_of: Callable[[str], bytes], few: int = 1) -> None:
    """Reads the root block of a content and, level by level, one of those below.

    draw: which ones, 0 or more. block_of: the block under a CID, which is checked here. few: the
    first time that a block has so many below it or fewer, all of them are read. Raises InvalidCid,
    ContentCorrupted, ContentMalformed and what `block_of` raises.
    """
    _read(cid, cid, draw, block_of, few, MOST_LEVELS)


def _read(
    cid: str, at: str, draw: int, block_of: Callable[[str], bytes], few: int, levels: int
) -> None:
    if not levels:
        raise ContentMalformed(f"{cid} has more than {MOST_LEVELS} levels of blocks")
    block = block_of(at)
    if not _belongs(block, at):
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
    # Once alone, or a stranger's content could make it many.
    chosen, few = (links, 1) if len(links) <= few else (links[which : which + 1], few)
    for link in chosen:
        _read(cid, cid_from_digest(link), draw, block_of, few, levels - 1)


def is_lie(cid: str, data: bytes, block_of: Callable[[str], bytes]) -> bool:
    """Whether a node lied that answered `data`, which has another CID, for this one.

    Blocks that are as `put` lays them out hold one content, and `data` differs from it in a block
    that is found by their hashes, one on each level. Under blocks that a stranger laid out
    otherwise no answer would have been right: readers differ in what they make of them, and
    whoever stored them is to blame. block_of: the block under a CID, which is checked here.
    """
    try:
        block = block_of(cid)
        if not _belongs(block, cid) or codec_of(cid) == RAW:
            return True
        size, at = decode(block).content_bytes, 0
        if size is None:
            return False
        for height in range(height_of(size), -1, -1):
            if not is_own(block, size, height):
                return False
            if height == 0:
                break
            for link, below in zip(decode(block).links, sizes_below(size, height), strict=True):
                if tree_digest(data[at : at + below], height - 1) != link:
                    break
                at += below
            else:
                return True  # all of it was answered, and more
            block, size = block_of(cid_from_digest(link)), below
            if not _belongs(block, cid_from_digest(link)):
                return True
        return True
    except ContentMissing:
        return True  # it was there for the data that was answered
    except (ContentError, NotUnixfs):
        return False


def _belongs(block: bytes, cid: str) -> bool:
    return hashlib.sha256(block).digest() == digest_of(cid)
