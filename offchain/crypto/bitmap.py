"""Sampled sets as bitmaps: the Python twin of ``contracts/exchange/Bitmap.sol``."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from eth_hash.auto import keccak

from offchain.crypto.commitments import word
from offchain.crypto.errors import CommitmentError

BPS = 10_000


def sample_limit(count: int, sample_bps: int) -> int:
    """The largest number of ``count`` shards that may be sampled, rounded down."""
    return count * sample_bps // BPS


def to_bitmap(indices: Iterable[int], count: int) -> list[int]:
    """The words of the set: shard i is bit ``i % 256`` of word ``i // 256``."""
    words = [0] * -(-count // 256)
    for i in indices:
        if not 0 <= i < count:
            raise CommitmentError(f"shard {i} out of range [0, {count})")
        words[i >> 8] |= 1 << (i & 255)
    return words


def from_bitmap(words: Sequence[int]) -> list[int]:
    """The indices in the set, ascending."""
    return [w * 256 + b for w, bits in enumerate(words) for b in range(256) if bits >> b & 1]


def bitmap_hash(words: Sequence[int]) -> bytes:
    """keccak256 of a bitmap's 256-bit words: what the contract keeps of a sampled set."""
    return keccak(b"".join(word(w) for w in words))


def draw(seed: bytes, count: int, wanted: int) -> list[int]:
    """The set the contract draws from ``seed``, as bitmap words (rejection sampling, no bias)."""
    return draw_further(seed, (), count, wanted)


def draw_further(seed: bytes, known: Iterable[int], count: int, wanted: int) -> list[int]:
    """The set ``known`` with ``wanted`` further shards that the contract draws, as bitmap words."""
    chosen = set(known)
    wanted += len(chosen)
    bound = (1 << 32) // count * count
    chunk = 0
    while len(chosen) < wanted:
        value = int.from_bytes(keccak(seed + word(chunk)), "big")
        for k in range(8):
            limb = value >> (32 * k) & 0xFFFFFFFF
            if limb < bound and len(chosen) < wanted:
                chosen.add(limb % count)
        chunk += 1
    return to_bitmap(chosen, count)


def choose(count: int, wanted: int, seed: int | None = None) -> list[int]:
    """The collector's own uniform choice of ``wanted`` of ``count`` shards, ascending.

    Without a seed the choice comes from the system's randomness: a provider must not foresee it.
    """
    source = random.SystemRandom() if seed is None else random.Random(seed)
    return sorted(source.sample(range(count), wanted))
