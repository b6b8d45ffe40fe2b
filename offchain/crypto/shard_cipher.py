"""Authenticated encryption of shards: ChaCha20-Poly1305 under one key per shard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from offchain.crypto.errors import ShardCipherError

TAG_BYTES = 16
BATCH_BYTES = 32 << 20
"""Of ciphertexts that are held at once."""
# Each key encrypts exactly one shard, so the nonce has nothing to keep apart.
_NONCE = bytes(12)


def _label(index: int) -> bytes:
    return b"souk.shard" + index.to_bytes(8, "big")


def encrypt_shard(key: bytes, index: int, plaintext: bytes) -> bytes:
    """Ciphertext of shard ``index`` under its own 32-byte key, 16 bytes longer than the plain."""
    return ChaCha20Poly1305(key).encrypt(_NONCE, plaintext, _label(index))


def encrypted_batches(
    shards: Iterable[tuple[int, bytes]], keys: Sequence[bytes], most_bytes: int = BATCH_BYTES
) -> Iterator[dict[int, bytes]]:
    """The ciphertexts of shards, (index, plain), in order, about `most_bytes` of them at a time.

    Shards are taken as they are needed, so that little more than a batch is held.
    """
    batch: dict[int, bytes] = {}
    held = 0
    for index, plain in shards:
        batch[index] = encrypt_shard(keys[index], index, plain)
        held += len(batch[index])
        if held >= most_bytes:
            yield batch
            batch, held = {}, 0
    if batch:
        yield batch


def decrypt_shard(key: bytes, index: int, ciphertext: bytes) -> bytes:
    """Plaintext of shard ``index``. Raises ShardCipherError if key, index or bytes do not fit."""
    try:
        return ChaCha20Poly1305(key).decrypt(_NONCE, ciphertext, _label(index))
    except InvalidTag as error:
        raise ShardCipherError(
            f"shard {index} ({len(ciphertext)} bytes) does not decrypt under its key"
        ) from error
