"""What Ape knows of addresses, forgotten where the chain goes back or another takes its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import ape
from ape.api.address import BaseAddress

_with_code: set[str] = set()


def is_contract(account: BaseAddress) -> bool:
    """Whether there is code at an address; asked of the node until there is, for it stays."""
    address = str(account.address)
    if address not in _with_code:
        if not account.codesize:
            return False
        _with_code.add(address)
    return True


@contextmanager
def forgotten_afterwards(*, and_before: bool = False) -> Iterator[None]:
    """Forget at the end what Ape learnt meanwhile of which contract lives where.

    Ape trusts its memory more than the type it is told. But a chain that goes back, and one that
    starts anew, give the addresses they gave before to other contracts.
    and_before: meanwhile what was known so far is unknown, too, as for a chain of its own.
    """
    global _with_code
    known = ape.chain.contracts
    caches = known.contract_types, known.proxy_infos, known.contract_creations, known.blueprints
    kept, codes = [cache.memory for cache in caches], _with_code
    try:
        for cache in caches:
            cache.memory = {} if and_before else dict(cache.memory)
        _with_code = set() if and_before else set(codes)
        yield
    finally:
        for cache, memory in zip(caches, kept, strict=True):
            cache.memory = memory
        _with_code = codes
