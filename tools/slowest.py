"""What took longest, read from the checks' logs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.lanes import Check, Passed

COUNT = 10
# pytest --durations: one line each for a test's set-up, call and teardown.
_PYTEST = re.compile(r"^(\d+\.\d+)s (?:setup|call|teardown)\s+(\S.*)$", re.MULTILINE)
# forge: a suite's name, its tests, and its time; it times no single test.
_FORGE = re.compile(
    r"^Ran \d+ tests? for (\S+)\n(?:(?!^Ran )[^\n]*\n)*?^Suite result: .*finished in ([\d.]+)(m?)s",
    re.MULTILINE,
)


def slowest(logs: Iterable[Path], count: int = COUNT) -> list[tuple[float, str]]:
    """Seconds and name of the tests (pytest) and suites (forge) that took longest, slowest first.

    A test's set-up counts with it, and with it what its module shares and it asked for first.
    """
    seconds: dict[str, float] = defaultdict(float)
    for log in logs:
        text = log.read_text(errors="replace")
        for spent, name in _PYTEST.findall(text):
            seconds[name] += float(spent)
        for name, spent, milli in _FORGE.findall(text):
            seconds[name] += float(spent) / (1000 if milli else 1)
    return sorted(((spent, name) for name, spent in seconds.items()), reverse=True)[:count]


def print_slowest(checks: Sequence[Check], passed: Sequence[Passed]) -> None:
    """The checks by their time, and the slowest tests in them."""
    print("\nWhat took longest (seconds by the clock, and of processor time):")
    for one in sorted(passed, key=lambda one: -one.seconds):
        print(f"  {one.seconds:6.0f} s  {one.busy:6.0f} s  {one.name}")
    names = {one.name for one in passed}  # a log of another name may be from another run
    tests = slowest(check.log for check in checks if check.name in names)
    if tests:
        print("The slowest tests, and forge's suites:")
        for spent, name in tests:
            print(f"  {spent:6.1f} s  {name}")
    print()
