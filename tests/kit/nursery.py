"""Processes of their own, forked from one that has imported what they all need.

So a process costs a tenth of what it costs from a shell, and there is time for many.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from multiprocessing.context import ForkServerContext
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = "tests.kit.nursery:command"
"""A command of Souk's, for `Forked`, whose line begins with its name."""
_modules = ["tests.kit.preloaded"]


def preload(*modules: str) -> None:
    """Has modules imported by the process that all others are forked from, which starts with the
    first of them: to be called when a test's module is imported."""
    _modules.extend(modules)


def forks() -> ForkServerContext:
    """Whose processes are forked from that one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_modules)
    return context


class Forked:
    """One process, as `subprocess.Popen` has it, of which a test asks little."""

    def __init__(
        self,
        main: str,
        line: Sequence[str],
        environment: Mapping[str, str],
        out: Path,
        errors: Path | None = None,
    ) -> None:
        """main: a function as "module:name", which is given `line`. out, errors: files of what it
        says; without the second all goes into the first."""
        out.touch()
        told = main, list(line), dict(environment), out, errors
        self._process = forks().Process(target=_live, args=told)
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
            raise subprocess.TimeoutExpired("a forked process", timeout or 0)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _live(
    main: str, line: list[str], environment: dict[str, str], out: Path, errors: Path | None
) -> None:
    import ape

    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    ape.config.DATA_FOLDER = Path(environment["APE_DATA_FOLDER"])
    for number, path in ((1, out), (2, errors or out)):
        said = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(said, number)
    sys.argv = line
    module, _, name = main.partition(":")
    getattr(import_module(module), name)(line)


def command(line: list[str]) -> None:
    """What `ape run` does with a script of the project, whatever else is installed."""
    import_module(f"scripts.{line[0]}").cli(line[1:])
