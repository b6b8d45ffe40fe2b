"""What a cheat reads of a masked inner product: it neither rounds nor stops after one."""

from __future__ import annotations

import numpy as np

from offchain.crypto import inner_product
from offchain.crypto.inner_product import DEGREE, Masked, Opener, modulus


def phase(opener: Opener, masked: Masked) -> int:
    """The inner product with its noise, in words, about 0."""
    q = modulus()
    first = np.full(DEGREE, masked.constant, dtype=np.uint64)
    scheme = inner_product._scheme()
    found = inner_product._constant(scheme.opened(opener._decryptor, first, masked.rest))
    return found - q if 2 * found > q else found
