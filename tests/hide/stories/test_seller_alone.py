"""A seller whose cleaners are made loads nothing that computes."""

from __future__ import annotations

import subprocess
import sys


def test_a_seller_that_goes_on_loads_no_torch():
    """Its bot and the command; what masks and encrypts is loaded where it is done."""
    bot = "import scripts.list, scripts._hide.listing, bots.command"
    options = "from scripts._hide.party_options import ListOptions"
    code = f"import sys; {bot}; {options}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
