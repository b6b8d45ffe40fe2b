"""All checks of `make test`, in two lanes.

python -m tools.run_checks
"""

from __future__ import annotations

import sys
import time

from tools.lanes import LOGS, Check, run
from tools.slowest import COUNT, print_slowest
from tools.touched import ROOMS

DURATIONS = (f"--durations={COUNT}", "--durations-min=1", "-q")
APE_TEST = ("ape", "test", *DURATIONS)
OFFCHAIN_TEST = ("python", "-m", "pytest", "-p", "no:ape_test", *DURATIONS)
# Tests that play whole sessions by the commands.
PLAYED = (*(f"tests/{room}/stories" for room in ROOMS), "tests/chaos")
DEMOS = "tests/demos"
NOT_HERE = tuple(f"--ignore={path}" for path in ("tests/offchain", DEMOS, *PLAYED))

COMPILE = Check("compile", ("python", "-m", "tools.compile"))
LINT = Check("lint", ("make", "--no-print-directory", "lint"))

# The longest first, so that both lanes end together. The contracts are compiled before two runs of
# `ape test` could both do it, into one file.
CHECKS = (
    COMPILE,
    LINT,
    Check("sessions", (*APE_TEST, *PLAYED), after="compile"),
    Check(
        "contracts",
        (*APE_TEST, "tests", *NOT_HERE),
        after="compile",
    ),
    Check("offchain", (*OFFCHAIN_TEST, "tests/offchain")),
    Check("demos", (*OFFCHAIN_TEST, DEMOS), after="compile"),
    # They play against what Ape compiled.
    Check("invariants", ("forge", "test"), after="compile"),
    # A build of its own (foundry.toml): slither reads the syntax trees, not the optimiser's work.
    Check(
        "slither",
        (".cache/slither/bin/slither", ".", "--fail-medium"),
        {"FOUNDRY_PROFILE": "slither"},
    ),
)


def main() -> int:
    began = time.monotonic()
    passed, failed = run(CHECKS)
    print_slowest(CHECKS, passed)
    seconds = time.monotonic() - began
    if failed:
        print(f"FAILED after {seconds:.0f} s: {failed} (output above and in {LOGS}/{failed}.log)")
        return 1
    busy = sum(one.busy for one in passed)
    print(
        f"All {len(CHECKS)} checks passed in {seconds:.0f} s, "
        f"with {busy / 60:.1f} minutes of processor time."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
