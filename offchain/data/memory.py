"""Room for pictures in memory, asked for before they are decoded."""

from __future__ import annotations

import psutil

from offchain.data.imageset import DataError

_COPIES = 2
"""Sets are copied once more as soon as they are split or shared out."""


def check_room(what: str, count: int, shape: tuple[int, int, int]) -> None:
    """Checks that `count` pictures of `shape` (C, H, W), a byte a value, fit into memory twice.

    Raises DataError, which begins with `what`, when they exceed what is available.
    """
    channels, height, width = shape
    needed = _COPIES * count * channels * height * width
    available = psutil.virtual_memory().available
    if needed > available:
        raise DataError(
            f"{what}: {count:,} pictures of {width}x{height} pixels need {_size(needed)} of "
            f"memory, {_size(available)} are available: give a smaller --image-size, or fewer "
            "pictures"
        )


def _size(count: int) -> str:
    return f"{count / 1e9:,.1f} GB" if count >= 1e8 else f"{count / 1e6:,.1f} MB"
