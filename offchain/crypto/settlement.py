"""How a sale is paid and how its key is delivered: the twin of ``contracts/exchange``."""

from __future__ import annotations

from enum import IntEnum

Word = int | bytes | str
"""What a call takes in one place of its arguments."""

NATIVE = "0x" + "00" * 20
"""The token that stands for the chain's own coin."""

SHORTEST_WINDOW, LONGEST_WINDOW = 600, 30 * 24 * 3600
"""Bounds of every window that terms set, seconds; no quote stands longer than the longest."""


def delivery_margin(window: int) -> int:
    """Seconds before the end of a delivery's window in which no key is sent any more.

    Refused for coming too late a key would be given away for nothing, since the call shows it: a
    published one to everybody, a sealed one to its buyer. A fifth of the window, ten blocks of
    twelve seconds in the shortest that is allowed, and an hour at most.
    """
    return min(window // 5, 3_600)


class Settlement(IntEnum):
    """How the dataset key reaches the collector."""

    OPEN = 0
    SEALED = 1
