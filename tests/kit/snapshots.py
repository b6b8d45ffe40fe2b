"""Snapshots of the chain: what happens inside one is undone when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import ape

from tests.kit.addresses import forgotten_afterwards


@contextmanager
def undone() -> Iterator[None]:
    """Undoes on leaving all that was done inside.

    Ape's own ``chain.isolate`` does that too, but swallows every exception raised inside it, failed
    assertions among them.
    """
    raised: BaseException | None = None
    with ape.chain.isolate(), forgotten_afterwards():
        try:
            yield
        except BaseException as error:  # raised again below, once the chain is back
            raised = error
    if raised is not None:
        raise raised
