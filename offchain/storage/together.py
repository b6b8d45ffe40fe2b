"""What several strangers should have stored, waited for side by side, none behind another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

PARALLEL = 16
"""Calls at once."""


def side_by_side(calls: Sequence[Callable[[], T]]) -> list[Future[T]]:
    """What came of each call, in their order, once all have ended."""
    with ThreadPoolExecutor(PARALLEL) as pool:
        return [pool.submit(call) for call in calls]
