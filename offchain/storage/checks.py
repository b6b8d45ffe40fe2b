"""Checks that both datastores make on what a node answers."""

from __future__ import annotations

import base58  # type: ignore[import-untyped]

from offchain.storage.cid import DAG_PB, cid_from_digest, cid_of, codec_of, digest_of, raw_block_cid
from offchain.storage.datastore import ContentCorrupted, ContentTooLarge, DatastoreError

_SHA2_256 = b"\x12\x20"


def check_content(cid: str, data: bytes) -> bytes:
    """`data` when it belongs to the CID. Raises ContentCorrupted."""
    found = cid_of(data) if codec_of(cid) == DAG_PB else raw_block_cid(data)
    if found != cid:
        raise ContentCorrupted(
            f"{cid}: the {len(data)} bytes answered for it are other content ({found}), "
            "or were added with other chunker settings"
        )
    return data


def check_size(cid: str, size: int, max_bytes: int | None) -> None:
    """Raises ContentTooLarge when `size` bytes are more than allowed."""
    if max_bytes is not None and size > max_bytes:
        raise ContentTooLarge(f"{cid} has more than the {max_bytes} bytes allowed")


def check_added(answer: str, data: bytes) -> str:
    """The CID of `data`, which the node answered for it as a CID of version 0."""
    added, cid = cid_from_digest(digest_of_answer(answer)), cid_of(data)
    if added != cid:
        raise DatastoreError(
            f"the node gave {len(data)} bytes the CID {added}, {cid} was expected: "
            "it does not use the settings that were asked for"
        )
    return cid


def digest_of_answer(answer: str) -> bytes:
    """The digest in a CID as nodes print it, version 0 (base58) or 1."""
    return base58.b58decode(answer)[2:] if answer.startswith("Qm") else digest_of(answer)


def as_added(cid: str) -> str:
    """The form in which a node keeps the pin of what `put` adds: version 0 for dag-pb.

    Nodes know a pin by its CID, not by its digest: the two versions are two pins to them.
    """
    if codec_of(cid) != DAG_PB:
        return cid
    return str(base58.b58encode(_SHA2_256 + digest_of(cid)).decode())
