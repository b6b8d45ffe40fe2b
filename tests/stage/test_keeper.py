"""A keeper computes nothing, and loads nothing that computes."""

from __future__ import annotations

import subprocess
import sys

from scripts._market.mechanisms import KEPT, MECHANISMS


def test_a_keeper_loads_no_torch():
    rooms = "; ".join(f"import scripts._{name}.keeping" for name in KEPT)
    bot = "import scripts.keep, scripts._stage.keeping, scripts._stage.party, bots.command"
    code = f"import sys; {bot}; {rooms}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_all_mechanisms_are_kept():
    assert set(KEPT) == set(MECHANISMS)
