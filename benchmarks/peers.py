"""Peers that ours is measured beside, each in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any


def of_peer(python: str, module: str, folder: str) -> dict[str, dict[str, Any]]:
    """What `module` prints as its last line of JSON, run by `python` on what lies in `folder`."""
    done = subprocess.run(
        [python, "-W", "ignore", "-m", module, folder],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    lines = [text for text in done.stdout.splitlines() if text.startswith("{")]
    if not lines:
        sys.exit(f"{module} gave no result:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    found: dict[str, dict[str, Any]] = json.loads(lines[-1])
    return found
