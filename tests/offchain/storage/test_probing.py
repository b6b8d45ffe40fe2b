"""A few blocks tell of the whole: whether it is there, and who is to blame for bytes that do not
belong to their CID, the node or who laid them out."""

from __future__ import annotations

import hashlib

import pytest

from offchain.storage import (
    ContentCorrupted,
    ContentMalformed,
    ContentMissing,
    cid_from_digest,
    cid_of,
    unixfs,
)
from offchain.storage.cid import raw_block_cid
from offchain.storage.probing import MOST_LEVELS, is_lie, read_drawn

DATA = bytes(range(256)) * 3
CHUNK, LINKS = 4, 3
SIZES = 0, 3, 4, 5, 12, 13, 36, 37, 50


@pytest.fixture
def small(monkeypatch):
    """Trees of several levels for a few bytes."""
    monkeypatch.setattr(unixfs, "CHUNK_BYTES", CHUNK)
    monkeypatch.setattr(unixfs, "MAX_LINKS", LINKS)


def leaf(chunk: bytes) -> bytes:
    return unixfs._leaf_block(chunk)


def parent(children: list[bytes], size: int) -> bytes:
    """One that does not say how large each block below it is, as ours do."""
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


def as_put(data: bytes, odd: int = -1) -> tuple[str, dict[str, bytes]]:
    """A file as datastores lay it out; its CID and its blocks. odd: which leaf says that
    it is raw, which readers take for a file as well."""
    blocks, level = {}, []
    for number, start in enumerate(range(0, len(data), CHUNK) or [0]):
        block = leaf(data[start : start + CHUNK])
        if number == odd:
            block = block.replace(unixfs._FILE, b"\x08\x00", 1)
        level.append((block, len(data[start : start + CHUNK]), len(block)))
    while True:
        blocks |= {of(block): block for block, _, _ in level}
        if len(level) == 1:
            return of(level[0][0]), blocks
        level = [over(level[i : i + LINKS]) for i in range(0, len(level), LINKS)]


def over(children: list[tuple[bytes, int, int]]) -> tuple[bytes, int, int]:
    """The block over some, with the bytes of the file and of all blocks below it."""
    nodes = [unixfs._Node(hashlib.sha256(one).digest(), *sizes) for one, *sizes in children]
    block = unixfs._parent_block(nodes)
    below = sum(node.tree_bytes for node in nodes)
    return block, sum(node.content_bytes for node in nodes), len(block) + below


def changed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize("answered", [DATA, b"", DATA[:-1], DATA + b"x", b"x" + DATA[1:]])
def test_an_odd_layout_is_its_strangers_doing(answered):
    """Whatever readers make of it: no answer would have been right."""
    cid, blocks = laid_out(DATA[:100], DATA[100:500], DATA[500:])
    assert cid != cid_of(DATA)
    assert not is_lie(cid, answered, blocks.__getitem__)


@pytest.mark.usefixtures("small")
def test_a_root_that_misses_sizes_is_its_strangers_doing():
    cid, blocks = laid_out(DATA[:4], DATA[4:8])
    assert not is_lie(cid, DATA[:4], blocks.__getitem__)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("size", SIZES)
def test_other_bytes_than_a_file_of_ours_holds_are_the_nodes(size):
    """Found by a few of its blocks, wherever they differ."""
    data = DATA[:size]
    cid, blocks = as_put(data)
    assert cid == cid_of(data)
    wrong = [changed(data, at) for at in range(size)] + [data[:at] for at in range(size)]
    for answered in (*wrong, data + b"x", data + bytes(60)):
        asked: list[str] = []

        def block_of(one: str, asked: list[str] = asked) -> bytes:
            asked.append(one)
            return blocks[one]

        assert is_lie(cid, answered, block_of)
        assert len(asked) <= unixfs.height_of(size) + 1


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("odd", range(5))
def test_a_node_is_believed_from_the_first_odd_block_on(odd):
    """A reader that takes it answers nothing that has this CID; what comes before is plain."""
    data = DATA[:20]
    cid, blocks = as_put(data, odd)
    for at in range(20):
        assert is_lie(cid, changed(data, at), blocks.__getitem__) == (at < odd * CHUNK)
        assert is_lie(cid, data[:at], blocks.__getitem__) == (at < odd * CHUNK)
    assert not is_lie(cid, data + b"x", blocks.__getitem__)


def test_a_block_of_another_codec_is_the_content_itself():
    assert is_lie(raw_block_cid(DATA), DATA[1:], lambda _: DATA)


@pytest.mark.usefixtures("small")
def test_a_node_that_answers_other_blocks_as_well_is_not_believed():
    cid, blocks = as_put(DATA[:8])
    odd = laid_out(DATA[:8])[1]
    other = next(iter(odd.values()))
    assert is_lie(cid, DATA[1:9], lambda one: other)
    assert is_lie(cid, DATA[1:9], lambda one: blocks[cid] if one == cid else other)


@pytest.mark.usefixtures("small")
def test_what_was_answered_and_is_not_there_is_the_nodes():
    cid, blocks = as_put(DATA[:8])

    def gone(one: str) -> bytes:
        if one == cid:
            return blocks[cid]
        raise ContentMissing(one)

    assert is_lie(cid, DATA[1:9], gone)


def test_nobody_goes_through_a_tree_without_end():
    """Blocks of nothing, twice the same below each, and one that says it has 2^64 bytes."""
    below = leaf(b"")
    for _ in range(40):
        below = parent([below, below], 0)
    assert not is_lie(of(below), b"", {of(below): below}.__getitem__)
    vast = parent([below] * unixfs.MAX_LINKS, 2**64 - 1)
    assert not is_lie(of(vast), b"", {of(vast): vast}.__getitem__)


# ---------------------------------------------------------------------- drawn blocks


def seen(cid: str, blocks: dict[str, bytes], draw: int, few: int = 1) -> list[str]:
    """Which blocks are looked at."""
    asked: list[str] = []

    def block_of(one: str) -> bytes:
        asked.append(one)
        return blocks[one]

    read_drawn(cid, draw, block_of, few)
    return asked


def test_of_few_blocks_all_are_looked_at_and_of_more_the_drawn_one():
    cid, blocks = laid_out(*(bytes([i]) for i in range(4)))
    root, *leaves = blocks
    assert [seen(cid, blocks, draw) for draw in range(5)] == [
        [root, leaves[draw % 4]] for draw in range(5)
    ]
    assert seen(cid, blocks, 2, few=3) == [root, leaves[2]]
    assert seen(cid, blocks, 2, few=4) == [root, *leaves]


def test_all_of_few_blocks_are_looked_at_on_one_level_alone():
    """Else a stranger's tree of eight levels would be of millions."""
    below, blocks = leaf(b"x"), {}
    for _ in range(3):
        blocks[of(below)] = below
        below = parent([below, below], 1)
    blocks[of(below)] = below
    assert len(seen(of(below), blocks, 0, few=2)) == 1 + 2 * 3


@pytest.mark.parametrize("levels", [MOST_LEVELS, MOST_LEVELS + 1])
def test_a_tree_of_too_many_levels_is_no_content(levels):
    below, blocks = leaf(b"x"), {}
    for _ in range(levels - 1):
        blocks[of(below)] = below
        below = parent([below], 1)
    blocks[of(below)] = below
    if levels == MOST_LEVELS:
        assert len(seen(of(below), blocks, 0)) == levels
    else:
        with pytest.raises(ContentMalformed, match="has more than 8 levels of blocks"):
            seen(of(below), blocks, 0)


def test_a_block_that_is_answered_with_other_bytes_is_told_by_its_cid():
    cid, blocks = laid_out(b"a", b"b")
    _, first, second = blocks
    with pytest.raises(ContentCorrupted, match=f"{cid}: a block of it, {second}, is answered"):
        seen(cid, blocks | {second: blocks[first]}, 1)
