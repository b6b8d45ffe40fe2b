"""A pytest plug-in: no test begins after the time (seconds since the epoch) in SOUK_TESTS_UNTIL.

The report's last lines name the files whose tests were left out.
"""

from __future__ import annotations

import os
import time
from collections import Counter

import pytest

UNTIL = "SOUK_TESTS_UNTIL"
LEFT_OUT = "left out for want of time: "


class Budget:
    """Passes over the tests that come too late."""

    def __init__(self, until: float) -> None:
        self._until = until
        self._left: Counter[str] = Counter()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool | None:
        if time.time() < self._until:
            return None
        self._left[item.nodeid.partition("::")[0]] += 1
        return True  # done with, as far as pytest is concerned, and in no count of what passed

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for path, count in self._left.items():
            terminalreporter.write_line(f"{LEFT_OUT}{path} ({count} tests)")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Budget(float(os.environ[UNTIL])), "souk-budget")
