"""A busy core does not stall a command: threads that wait for it sleep."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from offchain.threads import WAITING

COMMANDS = sorted(path.stem for path in Path("scripts").glob("[!_]*.py"))


def spins(code: str, **environment: str) -> int:
    """How often a thread of GNU's OpenMP looks before it sleeps, in a process that runs `code`."""
    clean = {name: value for name, value in os.environ.items() if name not in WAITING}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=clean | {"OMP_DISPLAY_ENV": "verbose"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(re.search(r"GOMP_SPINCOUNT = '(\d+)'", done.stderr)[1])


def test_threads_of_a_command_sleep_while_they_wait_unless_the_user_says_otherwise():
    assert spins("import scripts.sell, torch") == 0
    assert spins("import torch") > 0, "else this test shows nothing"
    assert spins("import scripts.sell, torch", OMP_WAIT_POLICY="active") > 0


def test_no_command_loads_torch_before_it_is_said():
    """OpenMP reads its environment once, when torch is loaded."""
    imports = "; ".join(f"import scripts.{name}" for name in COMMANDS)
    code = f"import sys; {imports}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
