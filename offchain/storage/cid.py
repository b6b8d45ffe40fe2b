"""Content identifiers: the text form, and the 32-byte digest that a contract stores.

Everything here is CIDv1 in base32 with sha2-256, the form `ipfs cid base32` prints.
"""

from __future__ import annotations

import base64
import hashlib

from offchain.storage.datastore import InvalidCid
from offchain.storage.unixfs import root_digest

DAG_PB = "dag-pb"
RAW = "raw"

_CODES = {RAW: 0x55, DAG_PB: 0x70}
_NAMES = {code: name for name, code in _CODES.items()}
_SHA2_256 = b"\x12\x20"
"""Multihash prefix: function 0x12, length 32."""


def cid_of(data: bytes) -> str:
    """The CID that every datastore of this package gives `data`, computed without one."""
    return cid_from_digest(root_digest(data))


def raw_block_cid(block: bytes) -> str:
    """The CID of bytes stored as one bare block, as other tools store small files."""
    return cid_from_digest(hashlib.sha256(block).digest(), RAW)


def cid_from_digest(digest: bytes, codec: str = DAG_PB) -> str:
    """The CID with this 32-byte sha2-256 digest.

    `put` always answers with the default codec, whatever the size of the content, so the digest
    alone finds it again. Raises InvalidCid.
    """
    if codec not in _CODES:
        raise InvalidCid(f"codec {codec!r} is not one of {sorted(_CODES)}")
    if len(digest) != 32:
        raise InvalidCid(f"a digest has 32 bytes, not {len(digest)}")
    binary = bytes([1, _CODES[codec]]) + _SHA2_256 + digest
    return "b" + base64.b32encode(binary).decode().lower().rstrip("=")


def digest_of(cid: str) -> bytes:
    """The 32-byte sha2-256 digest inside a CID. Raises InvalidCid."""
    return _parse(cid)[1]


def codec_of(cid: str) -> str:
    """ "dag-pb" for what `put` returns, "raw" for a bare block. Raises InvalidCid."""
    return _parse(cid)[0]


def _parse(cid: str) -> tuple[str, bytes]:
    shown = repr(cid if len(cid) <= 80 else cid[:77] + "...")
    if not cid.startswith("b"):
        raise InvalidCid(f"{shown} is not a CIDv1 in base32, which starts with b")
    try:
        binary = base64.b32decode(cid[1:].upper() + "=" * (-len(cid[1:]) % 8))
    except ValueError as error:
        raise InvalidCid(f"{shown} is not base32: {error}") from error
    if len(binary) != 36 or binary[0] != 1 or binary[1] not in _NAMES or binary[2:4] != _SHA2_256:
        raise InvalidCid(f"{shown} is not a CIDv1 of a raw or dag-pb block with sha2-256")
    codec, digest = _NAMES[binary[1]], binary[4:]
    if cid_from_digest(digest, codec) != cid:
        raise InvalidCid(f"{shown} is not in canonical form")
    return codec, digest
