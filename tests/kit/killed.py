"""Work on the tests' chain in processes of its own, killed by SIGKILL after a step of it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ape

_SECONDS = 300
"""Longest that one process may take."""


class Steps:
    """What a process has done: writes, sends, whatever is counted.

    file: gets a line for each step, and outlives the process. fatal: the number, from 1, of the
    step after which the process is killed.
    """

    def __init__(self, file: Path | None = None, fatal: int | None = None) -> None:
        self._file, self._fatal, self._count = file, fatal, 0

    def counted(self, what: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """`work`, each call of which is a step called `what`."""

        def step(*arguments: Any) -> Any:
            result = work(*arguments)
            self._count += 1
            if self._file is not None:
                with self._file.open("a") as file:
                    file.write(what + "\n")
            if self._count == self._fatal:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return step


def steps_of(work: Callable[..., None], *arguments: Any) -> list[str]:
    """The steps of `work(steps, *arguments)`, a function of a module, in a process of its own."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "steps"
        code = _run(Steps(file), work, *arguments)
        assert code == 0, f"the process ended with {code}"
        return file.read_text().splitlines()


def kill_after(step: int, work: Callable[..., None], *arguments: Any) -> None:
    """The same, killed after that step, counted from 1."""
    code = _run(Steps(fatal=step), work, *arguments)
    assert code == -signal.SIGKILL, f"step {step}: the process ended with {code}"


def _run(steps: Steps, work: Callable[..., None], *arguments: Any) -> int:
    """How a process ended. It is forked from one that has imported what takes seconds."""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["tests.kit.killed_preload", work.__module__])
    target = ape.chain.provider.uri, steps, work, *arguments
    process = processes.Process(target=_connected, args=target)
    process.start()
    process.join(_SECONDS)
    if process.exitcode is None:
        process.kill()
        raise AssertionError(f"a process did not end within {_SECONDS} s")
    return process.exitcode


def _connected(uri: str, steps: Steps, work: Callable[..., None], *arguments: Any) -> None:
    os.environ["APE_FOUNDRY_HOST"] = uri
    with ape.networks.ethereum.local.use_provider("foundry"):
        work(steps, *arguments)
