"""What a machine's memory cannot hold, told in one line instead of a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from offchain.errors import SoukError


class MemoryShort(SoukError):
    """Work that this machine's memory is too small for: nobody else's fault."""


@contextmanager
def memory_told(what: str) -> Iterator[None]:
    """Raises MemoryShort where `what` does not fit; torch says so by a RuntimeError."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error).lower():
            raise
        raise MemoryShort(f"{what}: this machine's memory is too small") from error
