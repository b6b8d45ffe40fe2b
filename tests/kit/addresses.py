"""What Ape knows of addresses, forgotten where the chain goes back or another takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import ape


@contextmanager
def forgotten_afterwards(*, and_before: bool = False) -> Iterator[None]:
    """Forget at the end what Ape learnt meanwhile of which contract lives where.

    Ape trusts its memory more than the type it is told. But a chain that goes back, and one that
    starts anew, give the addresses they gave before to other contracts.
    and_before: meanwhile what was known so far is unknown, too, as for a chain of its own.
    """
    known = ape.chain.contracts
    caches = known.contract_types, known.proxy_infos, known.contract_creations, known.blueprints
    kept = [cache.memory for cache in caches]
    try:
        for cache in caches:
            cache.memory = {} if and_before else dict(cache.memory)
        yield
    finally:
        for cache, memory in zip(caches, kept, strict=True):
            cache.memory = memory
