"""The cipher that a contract can evaluate: the twin of ``contracts/exchange/ChunkCipher.sol``.

Word ``j`` of chunk ``i`` is xor-ed with ``keccak(keccak(key, nonce, i), j)``. It serves to be
disputed: what the chunks hold is encrypted by a library before (``offchain.crypto.disputable``).

One hash yields 32 bytes and nothing shortens that, so the speed is that of the hash:
``benchmarks/keccak_stream.py`` measures it.
"""

from __future__ import annotations

import numpy as np

# The C implementation, four times as fast as the one eth_hash would choose by itself.
from eth_hash.backends.pysha3 import keccak256

from offchain.crypto.commitments import word

STREAM_TYPE = keccak256(b"souk.file.stream.v1")

_WORD_BYTES = 32


def nonce(domain: bytes, plain_root: bytes) -> bytes:
    """What keeps the keystreams of files apart; both arguments are 32 bytes."""
    return keccak256(STREAM_TYPE + word(domain) + word(plain_root))


def keystream(key: bytes, nonce_: bytes, index: int, length: int) -> bytes:
    """The first ``length`` bytes of the keystream of chunk ``index``."""
    seed = keccak256(word(key) + word(nonce_) + word(index))
    counters = range(-(-length // _WORD_BYTES))
    return b"".join([keccak256(seed + j.to_bytes(32, "big")) for j in counters])[:length]


def crypt(key: bytes, nonce_: bytes, index: int, chunk: bytes | memoryview) -> bytes:
    """Encrypts or decrypts chunk ``index``; both are the same."""
    stream = np.frombuffer(keystream(key, nonce_, index, len(chunk)), np.uint8)
    return (np.frombuffer(chunk, np.uint8) ^ stream).tobytes()
