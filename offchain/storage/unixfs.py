"""How IPFS cuts a file into blocks, so that bytes can be checked against their CID.

The profile is the one of plain `ipfs add`: chunks of 262,144 bytes, each in a dag-pb leaf
(raw leaves off), a balanced tree of at most 174 links a node, sha2-256, links as CIDv0. It is the
only one that the embedded node's library can write. No maintained Python library builds UnixFS
trees; the tests hold this one against two IPFS implementations.

Specification: https://specs.ipfs.tech/unixfs/ and https://ipld.io/specs/codecs/dag-pb/spec/.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

CHUNK_BYTES = 262_144
MAX_LINKS = 174

_FILE = b"\x08\x02"
"""UnixFS field 1, Type = File."""
_RAW, _DIRECTORY, _REGULAR = 0, 1, 2
"""UnixFS types: a leaf or file, a folder, a file; the others are links and parts of folders."""
_MULTIHASH = b"\x12\x20"
_LINKS = _MULTIHASH, b"\x01\x70" + _MULTIHASH, b"\x01\x55" + _MULTIHASH
"""How a link begins before its digest: version 0, and version 1 of a dag-pb or raw block."""


class NotUnixfs(ValueError):
    """Bytes that are not the dag-pb node of a UnixFS file."""


@dataclass(frozen=True)
class _Node:
    digest: bytes
    content_bytes: int
    """Bytes of the file below this node."""
    tree_bytes: int
    """Bytes of all blocks of the tree below and including this node."""


@dataclass(frozen=True)
class Decoded:
    """One block: the sha2-256 of each block it links, and the bytes of the file below it.

    content_bytes is None for what is no file; is_directory tells folders from the rest of it; data
    is what the block itself holds of the file.
    """

    links: tuple[bytes, ...]
    content_bytes: int | None
    is_directory: bool = False
    data: bytes = b""


def root_digest(data: bytes) -> bytes:
    """sha2-256 of the root block of `data` added as a file."""
    return tree_digest(data, height_of(len(data)))


def tree_digest(data: bytes, height: int) -> bytes:
    """sha2-256 of the block so many levels above the leaves that stands over `data`, which is no
    more than has a place below it."""
    chunks = range(0, len(data), CHUNK_BYTES) or [0]
    level = [_leaf(data[start : start + CHUNK_BYTES]) for start in chunks]
    for _ in range(height):
        level = [_parent(level[i : i + MAX_LINKS]) for i in range(0, len(level), MAX_LINKS)]
    (top,) = level
    return top.digest


def height_of(size: int) -> int:
    """Levels of a file's tree above its leaves. size: its bytes."""
    height, reach = 0, CHUNK_BYTES
    while reach < size:
        height, reach = height + 1, reach * MAX_LINKS
    return height


def sizes_below(size: int, height: int) -> list[int]:
    """Bytes of the file below each block that is linked `height` levels, 1 or more, above the
    leaves. size: of all of them, no more than have a place there."""
    full = CHUNK_BYTES * MAX_LINKS ** (height - 1)
    return [min(full, size - start) for start in range(0, size, full)]


def is_own(block: bytes, size: int, height: int) -> bool:
    """Whether a block is as this profile writes it, whatever content it holds or links.

    size: bytes of the file below it. height: levels above the leaves. Raises NotUnixfs.
    """
    node = decode(block)
    if height == 0:
        return len(node.data) == size and block == _leaf_block(node.data)
    sizes = sizes_below(size, height)
    if len(node.links) != len(sizes):
        return False
    trees = {one: _tree_bytes(one, height - 1) for one in set(sizes)}
    below = [_Node(link, one, trees[one]) for link, one in zip(node.links, sizes, strict=True)]
    return block == _parent_block(below)


def decode(block: bytes) -> Decoded:
    """Reads one dag-pb block of UnixFS. Raises NotUnixfs."""
    links: list[bytes] = []
    content: bytes | int | None = None
    for number, value in _fields(block):
        if number == 1:
            content = value
        elif number == 2 and isinstance(value, bytes):
            multihash = dict(_fields(value)).get(1)
            if not isinstance(multihash, bytes) or multihash[:-32] not in _LINKS:
                raise NotUnixfs("a link without a sha2-256 multihash")
            links.append(multihash[-32:])
    if not isinstance(content, bytes):
        raise NotUnixfs("a dag-pb node without UnixFS data")
    fields = dict(_fields(content))
    size = fields.get(3)
    if fields.get(1) not in (_RAW, _REGULAR):
        return Decoded(tuple(links), None, is_directory=fields.get(1) == _DIRECTORY)
    if not isinstance(size, int):
        raise NotUnixfs("a UnixFS node without a file size")
    data = fields.get(2, b"")
    return Decoded(tuple(links), size, data=data if isinstance(data, bytes) else b"")


def _leaf(chunk: bytes) -> _Node:
    block = _leaf_block(chunk)
    return _Node(hashlib.sha256(block).digest(), len(chunk), len(block))


def _leaf_block(chunk: bytes) -> bytes:
    content = _FILE + (_bytes_field(2, chunk) if chunk else b"") + _number_field(3, len(chunk))
    return _bytes_field(1, content)


def _parent(children: list[_Node]) -> _Node:
    block = _parent_block(children)
    return _Node(
        hashlib.sha256(block).digest(),
        sum(child.content_bytes for child in children),
        len(block) + sum(child.tree_bytes for child in children),
    )


def _parent_block(children: list[_Node]) -> bytes:
    size = sum(child.content_bytes for child in children)
    block = b"".join(
        _bytes_field(
            2,
            _bytes_field(1, _MULTIHASH + child.digest)
            + _bytes_field(2, b"")
            + _number_field(3, child.tree_bytes),
        )
        for child in children
    )
    content = _FILE + _number_field(3, size)
    content += b"".join(_number_field(4, child.content_bytes) for child in children)
    return block + _bytes_field(1, content)


def _tree_bytes(size: int, height: int) -> int:
    """Of all blocks below and including one so many levels above the leaves."""
    if height == 0:
        return len(_leaf_block(bytes(size)))
    sizes = sizes_below(size, height)
    trees = {one: _tree_bytes(one, height - 1) for one in set(sizes)}
    below = [_Node(bytes(32), one, trees[one]) for one in sizes]
    return len(_parent_block(below)) + sum(one.tree_bytes for one in below)


def _bytes_field(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(value)) + value


def _number_field(number: int, value: int) -> bytes:
    return bytes([number << 3]) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _fields(message: bytes) -> Iterator[tuple[int, bytes | int]]:
    """Number and value of each field of a protobuf message (varint and length-delimited)."""
    at = 0
    while at < len(message):
        tag, at = _read_varint(message, at)
        value, at = _read_varint(message, at)
        if tag & 7 == 0:
            yield tag >> 3, value
        elif tag & 7 == 2 and at + value <= len(message):
            yield tag >> 3, message[at : at + value]
            at += value
        else:
            raise NotUnixfs(f"not a protobuf message at byte {at}")


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(message):
            raise NotUnixfs("a protobuf message that ends inside a number")
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise NotUnixfs("a number of more than 64 bits")
