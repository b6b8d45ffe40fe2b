"""Processes that are started from here: how many at once, and where they find this package."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def keep_importable() -> None:
    """Put this package's folder on the path if it is not there; call before starting processes.

    They take over `sys.path`, and `ape run` takes the project's folder off it once a script is
    loaded, even where an installation had put it there.
    """
    folder = str(Path(__file__).parents[2])
    if folder not in sys.path:
        sys.path.append(folder)
