"""All checks of `make test`, two at a time; the first that fails ends the run and names itself.

Each check's output goes to `.cache/checks/<name>.log`; a failed check's is printed.
"""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

LOGS = Path(".cache/checks")
LANES = 2
ALIVE_EVERY = 30.0  # seconds between lines that say what is still running


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


APE_TEST = ("ape", "test", "-q", "tests", "--ignore=tests/offchain")
# Tests that play whole sessions by the commands.
PLAYED = tuple(f"tests/{room}/stories" for room in ("hyperx", "sum", "seccl", "hide", "mde"))

# The longest first, so that both lanes end together. The contracts are compiled before two runs of
# `ape test` could both do it, into one file. Slither has Forge build into a folder of its own, or
# it would take the files from under the running Forge tests.
CHECKS = (
    Check("compile", ("ape", "compile")),
    Check("lint", ("make", "--no-print-directory", "lint")),
    Check("contracts", (*APE_TEST, *(f"--ignore={path}" for path in PLAYED)), after="compile"),
    Check("sessions", ("ape", "test", "-q", *PLAYED), after="compile"),
    Check("offchain", ("python", "-m", "pytest", "-p", "no:ape_test", "tests/offchain", "-q")),
    Check("invariants", ("forge", "test")),
    Check(
        "slither",
        (".cache/slither/bin/slither", ".", "--fail-medium"),
        {
            "FOUNDRY_OUT": ".cache/slither-build/out",
            "FOUNDRY_CACHE_PATH": ".cache/slither-build/cache",
        },
    ),
)


@dataclass
class Running:
    """A check under way, in a process group of its own so that all of it can be stopped."""

    check: Check
    process: subprocess.Popen[bytes]
    began: float

    @classmethod
    def start(cls, check: Check) -> "Running":
        with check.log.open("wb") as log:
            process = subprocess.Popen(
                check.command,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"} | check.env,
                start_new_session=True,
            )
        print(f"{check.name}: started", flush=True)
        return cls(check, process, time.monotonic())

    @property
    def seconds(self) -> int:
        return round(time.monotonic() - self.began)

    def stop(self) -> None:
        """End the check and what it started."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)


def last_line(log: Path) -> str:
    """What the check said last."""
    lines = log.read_text(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "no output yet")


def run(checks: tuple[Check, ...]) -> str | None:
    """The name of the first check that failed, or None when all passed."""
    waiting = list(checks)
    running: list[Running] = []
    passed: set[str | None] = {None}
    told = time.monotonic()
    try:
        while waiting or running:
            ready = [check for check in waiting if check.after in passed]
            for check in ready[: LANES - len(running)]:
                waiting.remove(check)
                running.append(Running.start(check))
            time.sleep(0.2)
            for one in [one for one in running if one.process.poll() is not None]:
                running.remove(one)
                if one.process.returncode != 0:
                    print(one.check.log.read_text(errors="replace"), flush=True)
                    return one.check.name
                passed.add(one.check.name)
                print(f"{one.check.name}: passed in {one.seconds} s: {last_line(one.check.log)}")
            if time.monotonic() - told > ALIVE_EVERY:
                told = time.monotonic()
                for one in running:
                    print(f"{one.check.name}: {one.seconds} s so far: {last_line(one.check.log)}")
            sys.stdout.flush()
        return None
    finally:
        for one in running:
            one.stop()


def main() -> int:
    LOGS.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    failed = run(CHECKS)
    seconds = round(time.monotonic() - began)
    if failed:
        print(f"FAILED after {seconds} s: {failed} (output above and in {LOGS}/{failed}.log)")
        return 1
    print(f"All {len(CHECKS)} checks passed in {seconds} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
