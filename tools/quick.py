"""`make quick`: lint, types and structure, and the tests near a change, in under three minutes.

Which tests, `tools.touched` says. No test begins later than START_UNTIL; what is left out is named.

    python -m tools.quick
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tools.budget import LEFT_OUT, UNTIL
from tools.lanes import LOGS, Check, run
from tools.run_checks import APE_TEST, COMPILE, LINT, OFFCHAIN_TEST
from tools.slowest import print_slowest
from tools.touched import Choice, changed_files, choose

START_UNTIL = 120.0  # seconds; what has begun by then has the rest of three minutes
STRUCTURE = Check("structure", (*OFFCHAIN_TEST, "tests/offchain/test_structure.py"))


def checks_for(choice: Choice, until: float) -> tuple[Check, ...]:
    """Lint and structure always; the chosen tests as far as they begin before `until`."""
    budget = {UNTIL: str(until), "PYTEST_PLUGINS": "tools.budget", "PYTHONPATH": os.getcwd()}
    checks = [LINT, STRUCTURE]
    if choice.chain:
        checks += [COMPILE, Check("chain", (*APE_TEST, *choice.chain), budget, after="compile")]
    if choice.offchain:
        checks.append(Check("near", (*OFFCHAIN_TEST, *choice.offchain), budget))
    return tuple(checks)


def left_out(logs: Iterable[Path]) -> list[str]:
    """The lines of finished checks that name tests for which there was no time."""
    lines = (line for log in logs for line in log.read_text(errors="replace").splitlines())
    return [line for line in lines if line.startswith(LEFT_OUT)]


def main() -> int:
    began = time.monotonic()
    changed = changed_files()
    choice = choose(changed)
    checks = checks_for(choice, time.time() + START_UNTIL)
    print(f"{len(changed)} files changed; besides lint, types and structure, these tests:")
    for path in (*choice.offchain, *choice.chain):
        print(f"  {path}")
    passed, failed = run(checks)
    print_slowest(checks, passed)
    names = {one.name for one in passed}
    for line in left_out(check.log for check in checks if check.name in names):
        print(line)
    print("Left out by design: invariants, slither, other rooms' tests. `make test` runs all.")
    seconds = time.monotonic() - began
    if failed:
        print(f"FAILED after {seconds:.0f} s: {failed} (output above and in {LOGS}/{failed}.log)")
        return 1
    print(f"What was chosen passed in {seconds:.0f} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
