"""What proves a seller wrong: structs that ``contracts/exchange`` judges, as calls take them."""

from __future__ import annotations

from offchain.crypto import commitments as cm
from offchain.crypto.disputable import EncryptedFile, FileDomain
from offchain.crypto.sealing import even_secret, product

ChunkEvidence = tuple[int, int, int, bytes, bytes, list[bytes], list[bytes]]
"""The struct of ``contracts/exchange/ChunkDispute.sol``, as a call takes it."""

KeyEvidence = tuple[int, int, bytes, int, int]
"""The struct of ``contracts/exchange/KeyDispute.sol``, as a call takes it."""


def chunk_evidence(domain: FileDomain, file: EncryptedFile, index: int) -> ChunkEvidence:
    """Shows one chunk of a file, and where it lies."""
    shape = file.shape
    start = index * shape.chunk_bytes
    return (
        shape.length,
        shape.chunk_bytes,
        index,
        file.ciphertext[start : start + shape.chunk_bytes],
        file.plain_leaves[index],
        cm.path(file.cipher_leaves(domain), index),
        cm.path(file.plain_leaves, index),
    )


def key_evidence(secret: int, ephemeral_x: int, sealed_key: bytes) -> KeyEvidence:
    """Shows which key was sealed to the one-time key of ``secret``, whatever the seller named.

    Where ``ephemeral_x`` is on no point there is no product, only zeros, and none is needed.
    """
    shared = product(secret, ephemeral_x)
    return (even_secret(secret), ephemeral_x, sealed_key, shared.x, shared.y)
