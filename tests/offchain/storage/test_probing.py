"""Who is to blame for bytes that do not belong to their CID: the node, or who laid them out."""

from __future__ import annotations

import hashlib

import pytest

from offchain.storage import ContentMissing, cid_from_digest, cid_of, unixfs
from offchain.storage.cid import raw_block_cid
from offchain.storage.probing import MOST_BLOCKS, holds

DATA = bytes(range(256)) * 3


def leaf(chunk: bytes) -> bytes:
    size = unixfs._number_field(3, len(chunk))
    return unixfs._bytes_field(1, unixfs._FILE + unixfs._bytes_field(2, chunk) + size)


def parent(children: list[bytes], size: int) -> bytes:
    links = (unixfs._MULTIHASH + hashlib.sha256(child).digest() for child in children)
    content = unixfs._FILE + unixfs._number_field(3, size)
    return b"".join(
        unixfs._bytes_field(2, unixfs._bytes_field(1, link)) for link in links
    ) + unixfs._bytes_field(1, content)


def of(block: bytes) -> str:
    return cid_from_digest(hashlib.sha256(block).digest())


def laid_out(*chunks: bytes) -> tuple[str, dict[str, bytes]]:
    """A file in chunks of somebody's choice; its CID and its blocks."""
    leaves = [leaf(chunk) for chunk in chunks]
    root = parent(leaves, sum(map(len, chunks)))
    return of(root), {of(block): block for block in (root, *leaves)}


def test_an_odd_layout_is_its_strangers_doing():
    cid, blocks = laid_out(DATA[:100], DATA[100:500], DATA[500:])
    assert cid != cid_of(DATA)
    assert holds(cid, DATA, blocks.__getitem__)


@pytest.mark.parametrize("answered", [b"", DATA[:-1], DATA + b"x", b"x" + DATA[1:]])
def test_other_bytes_than_the_blocks_hold_are_the_nodes(answered):
    cid, blocks = laid_out(DATA[:100], DATA[100:])
    assert not holds(cid, answered, blocks.__getitem__)
    block = leaf(DATA)
    assert not holds(of(block), answered, {of(block): block}.__getitem__)
    assert not holds(raw_block_cid(DATA), answered, lambda _: DATA)


def test_a_node_that_answers_other_blocks_as_well_is_not_believed():
    cid, blocks = laid_out(DATA[:100], DATA[100:])
    other = leaf(DATA)
    assert not holds(cid, DATA, lambda one: other)
    assert not holds(cid, DATA, lambda one: blocks[cid] if one == cid else other)


def test_what_was_answered_and_is_not_there_is_the_nodes():
    cid, blocks = laid_out(DATA[:100], DATA[100:])

    def gone(one: str) -> bytes:
        if one == cid:
            return blocks[cid]
        raise ContentMissing(one)

    assert not holds(cid, DATA, gone)


def test_nobody_goes_through_a_tree_without_end():
    """Blocks of nothing, twice the same below each: counted as the stranger's doing."""
    blocks, below = {}, leaf(b"")
    asked: list[str] = []
    for _ in range(40):
        blocks[of(below)] = below
        below = parent([below, below], 0)
    blocks[of(below)] = below

    def block_of(one: str) -> bytes:
        asked.append(one)
        return blocks[one]

    assert holds(of(below), b"", block_of)
    assert len(asked) == MOST_BLOCKS
