"""This package on the path of processes that are started from here."""

from __future__ import annotations

import sys
from pathlib import Path


def keep_importable() -> None:
    """Put this package's folder on the path if it is not there; call before starting processes.

    They take over `sys.path`, and `ape run` takes the project's folder off it once a script is
    loaded, even where an installation had put it there.
    """
    folder = str(Path(__file__).parents[2])
    if folder not in sys.path:
        sys.path.append(folder)
