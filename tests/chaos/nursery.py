"""Processes of parties, forked from one that has imported what they all need.

So a life costs a tenth of what it costs from a shell, and there is time for many.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.kit.strangers import ROOT

PRELOADED = (
    "tests.kit.killed_preload",
    "silverback._cli",
    "silverback.runner",
    "bots.command",
    "tests.chaos.life",
)


class Forked:
    """One process, as `subprocess.Popen` has it, of which a test asks little."""

    def __init__(self, line: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        """line: what `tests.chaos.life` is told."""
        processes = multiprocessing.get_context("forkserver")
        processes.set_forkserver_preload(list(PRELOADED))
        told = list(line), dict(environment), log
        self._process = processes.Process(target=_live, args=told)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def poll(self) -> int | None:
        """Its exit status; None while it lives."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The same; waits for it. Raises TimeoutExpired."""
        self._process.join(timeout)
        status = self._process.exitcode
        if status is None:
            raise subprocess.TimeoutExpired("a life", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _live(line: list[str], environment: dict[str, str], log: Path) -> None:
    import ape

    from tests.chaos.life import main

    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    ape.config.DATA_FOLDER = Path(environment["APE_DATA_FOLDER"])
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for one in (1, 2):
        os.dup2(said, one)
    sys.argv = line
    main(line)
