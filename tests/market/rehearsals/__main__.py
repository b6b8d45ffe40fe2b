"""Writes what the parties of mechanisms have, and what each gains in a rehearsal.

python -m tests.market.rehearsals FOLDER MECHANISM...
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from pathlib import Path

from scripts._stage.chain import HOME
from tests.kit.node import quiet_node

GAINS = "gains.json"
"""Of each party, in wei: written last."""


def main(root: Path, names: list[str]) -> None:
    """Each in the folder of its name."""
    os.environ[HOME] = str(root / "rehearsed")
    for name in names:
        folder = root / name
        folder.mkdir(parents=True)
        rehearsal = import_module(f"tests.market.rehearsals.{name}")
        rehearsal.equip(folder)
        with quiet_node():
            gains = rehearsal.rehearse(folder)
        (folder / GAINS).write_text(json.dumps(gains))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
