"""How a sale is paid and how its key is delivered: the twin of ``contracts/exchange``."""

from __future__ import annotations

from enum import IntEnum

Word = int | bytes | str
"""What a call takes in one place of its arguments."""

NATIVE = "0x" + "00" * 20
"""The token that stands for the chain's own coin."""


class Settlement(IntEnum):
    """How the dataset key reaches the collector."""

    OPEN = 0
    SEALED = 1
