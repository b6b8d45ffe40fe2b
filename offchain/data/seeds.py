"""One random generator per operation, never a global one."""

from __future__ import annotations

import hashlib

import numpy as np


def generator(seed: int, purpose: str) -> np.random.Generator:
    """A numpy generator fixed by `seed` (0 or more) and by what it is used for.

    Two operations given the same seed draw independent streams.
    """
    if seed < 0:
        raise ValueError(f"a seed must be 0 or more, not {seed}")
    tag = hashlib.sha256(purpose.encode()).digest()[:8]
    return np.random.default_rng([seed, int.from_bytes(tag, "big")])
