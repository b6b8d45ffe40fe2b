"""Real processes, killed by SIGKILL at a chosen moment, and what they had done until then.

A moment is the return of a call that leaves something behind: a file is written, a transaction is
sent. A process is forked from a clean one that has imported what it needs, so that it costs little.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

Moment = tuple[Any, str]
"""A class or module, and the name of a function of its own that leaves something behind."""

SECONDS = 120
"""A process that takes longer is taken for stuck."""


@dataclass(frozen=True)
class Life:
    """One process. killed: whether it was; moments: names of all that it came to, in order."""

    killed: bool
    moments: tuple[str, ...]


def live(
    work: Callable[..., None],
    arguments: Sequence[Any],
    moments: Callable[[], Sequence[Moment]],
    log: Path,
    kill_at: int | None = None,
    preload: Sequence[str] = (),
) -> Life:
    """Does `work` in a process of its own, which is killed after its `kill_at`-th moment, from 1.

    work, moments: functions of a module, which the process calls. log: a file for what it came to.
    preload: modules that every process needs. Raises AssertionError if the work raises.
    """
    log.unlink(missing_ok=True)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *preload])
    process = context.Process(target=_lived, args=(work, arguments, moments, log, kill_at))
    process.start()
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
        raise AssertionError(f"{work.__name__} takes longer than {SECONDS} s")
    killed = process.exitcode == -signal.SIGKILL
    assert killed or process.exitcode == 0, f"{work.__name__} ended with {process.exitcode}"
    return Life(killed, tuple(log.read_text().split()) if log.exists() else ())


def _lived(
    work: Callable[..., None],
    arguments: Sequence[Any],
    moments: Callable[[], Sequence[Moment]],
    log: Path,
    kill_at: int | None,
) -> None:
    passed = 0

    def after(name: str) -> None:
        nonlocal passed
        passed += 1
        with log.open("a") as file:
            file.write(f"{name}\n")
            file.flush()
            os.fsync(file.fileno())
        if passed == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    for owner, name in moments():
        setattr(owner, name, _followed(getattr(owner, name), after))
    work(*arguments)


def _followed(function: Callable[..., Any], after: Callable[[str], None]) -> Callable[..., Any]:
    @wraps(function)
    def followed(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        after(function.__name__)
        return result

    return followed
