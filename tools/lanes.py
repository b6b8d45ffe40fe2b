"""Runs checks two at a time; the first that fails, or says no more, ends the run and is named.

Each check's output goes to `.cache/checks/<name>.log`; a failed check's is printed.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

LOGS = Path(".cache/checks")
LANES = 2
PR_SET_CHILD_SUBREAPER = 36
"""Of Linux's <sys/prctl.h>."""
ALIVE_EVERY = 10.0  # seconds between lines that say what is still running
ORPHANS_SECONDS = 5.0
"""For what a check leaves behind to end."""
MOST_SILENT = 900.0
"""Seconds without a word of a check, which is taken for stuck then. pytest tells where each thread
is long before (pyproject.toml)."""


@dataclass(frozen=True)
class Check:
    """One command; `env` is set on top of the environment, and `after` is a check that it needs."""

    name: str
    command: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    after: str | None = None

    @property
    def log(self) -> Path:
        return LOGS / f"{self.name}.log"


@dataclass(frozen=True)
class Passed:
    """How long a check took: seconds by the clock, and seconds of processor time."""

    name: str
    seconds: float
    busy: float


@dataclass
class Running:
    """A check under way, in a process group of its own so that all of it can be stopped."""

    check: Check
    process: subprocess.Popen[bytes]
    began: float
    busy: float = 0.0  # processor seconds of it and its children, once it has ended
    _orphans: bool = True  # whether some of its group may still be there
    _said: int = 0  # bytes of its log
    _said_at: float = 0.0

    @classmethod
    def start(cls, check: Check) -> Running:
        with check.log.open("wb") as log:
            process = subprocess.Popen(
                check.command,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | _environment() | check.env,
                start_new_session=True,
            )
        print(f"{check.name}: started", flush=True)
        return cls(check, process, time.monotonic())

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    def stuck(self) -> bool:
        """Whether its log has not grown for MOST_SILENT."""
        now, said = time.monotonic(), self.check.log.stat().st_size
        if said != self._said or not self._said_at:
            self._said, self._said_at = said, now
        return now - self._said_at > MOST_SILENT

    def ended(self) -> bool:
        """Whether it is over. Waits by hand, as Popen does not tell the processor time."""
        if self.process.returncode is None and self._reap():
            # What it leaves behind, and nobody waited for, has worked for it too.
            deadline = time.monotonic() + ORPHANS_SECONDS
            while self._orphans and time.monotonic() < deadline:
                self._reap()
                time.sleep(0.01)
        return self.process.returncode is not None

    def _reap(self) -> bool:
        """Takes the times of all in its group that ended; whether the check itself did."""
        while True:
            try:
                pid, status, usage = os.wait4(-self.process.pid, os.WNOHANG)
            except ChildProcessError:
                pid, self._orphans = 0, False
            if not pid:
                return self.process.returncode is not None
            self.busy += usage.ru_utime + usage.ru_stime
            if pid == self.process.pid:
                self.process.returncode = os.waitstatus_to_exitcode(status)

    def stop(self) -> None:
        """End the check and what it started."""
        if self.ended():
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while not self.ended() and time.monotonic() < deadline:
            time.sleep(0.1)
        if not self.ended():
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _adopt_orphans() -> None:
    """Has processes whose parents ended become this one's, so that their time is told; on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _ape() -> Path:
    """A folder of Ape's own for the checks.

    In the user's, Ape keeps every node that a killed run left behind, and goes through all of them
    whenever it ends one, for some 20 ms each.
    """
    return (LOGS / "ape").absolute()


def _environment() -> dict[str, str]:
    """What all checks run with.

    Modules are compiled once, whatever the user's habit: checks start many Pythons, and pytest
    rewrites Ape and Hypothesis for each of its own, in more than two seconds.
    """
    return {
        "OMP_NUM_THREADS": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "",
        "APE_DATA_FOLDER": str(_ape()),
    }


def last_line(log: Path) -> str:
    """What the check said last, its durations aside."""
    lines = [line.strip() for line in log.read_text(errors="replace").split("\n")]
    return next((line for line in reversed(lines) if line), "no output yet")


def run(checks: Sequence[Check]) -> tuple[list[Passed], str | None]:
    """The checks that passed, and the name of the first that failed or None.

    Checks start in the order given, each once the check that it needs has passed.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    _adopt_orphans()
    shutil.rmtree(_ape(), ignore_errors=True)
    waiting = list(checks)
    running: list[Running] = []
    passed: list[Passed] = []
    told = time.monotonic()
    try:
        while waiting or running:
            done = {None, *(one.name for one in passed)}
            ready = [check for check in waiting if check.after in done]
            for check in ready[: LANES - len(running)]:
                waiting.remove(check)
                running.append(Running.start(check))
            time.sleep(0.2)
            for one in [one for one in running if one.ended()]:
                running.remove(one)
                name = one.check.name
                if one.process.returncode != 0:
                    print(one.check.log.read_text(errors="replace"), flush=True)
                    return passed, name
                passed.append(Passed(name, one.seconds, one.busy))
                print(f"{name}: passed in {one.seconds:.0f} s: {last_line(one.check.log)}")
            for one in running:
                if one.stuck():
                    print(one.check.log.read_text(errors="replace"), flush=True)
                    print(f"{one.check.name}: nothing said for {MOST_SILENT:.0f} s", flush=True)
                    return passed, one.check.name
            if time.monotonic() - told >= ALIVE_EVERY:
                told = time.monotonic()
                for one in running:
                    said = last_line(one.check.log)
                    print(f"{one.check.name}: {one.seconds:.0f} s so far: {said}", flush=True)
        return passed, None
    finally:
        for one in running:
            one.stop()
