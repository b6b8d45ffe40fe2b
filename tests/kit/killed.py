"""Work on the tests' chain in processes of its own, killed by SIGKILL after any step of it.

A step is the return of a call that leaves something behind: a file is written, a transaction is
sent. Processes are forked from one that has imported what they need, so that each costs little.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import ape

from tests.kit.frugal_ape import frugal_ape
from tests.kit.nursery import forks, preload

Work = TypeVar("Work", bound=Callable[..., None])

StepKind = tuple[Any, str]
"""A class or module, and the name of a function of it each call of which is a step."""

_SECONDS = 300
"""A process that takes longer is taken for stuck."""


@dataclass(frozen=True)
class Life:
    """One process. killed: whether it was. steps: names of the functions it came back from."""

    killed: bool
    steps: list[str]


def forked(work: Work) -> Work:
    """Marks what processes do: its module is imported once for all of them."""
    preload(work.__module__)
    return work


def live(
    work: Callable[..., None],
    *arguments: Any,
    kinds: Callable[[], Sequence[StepKind]],
    kill_after: int | None = None,
) -> Life:
    """Does `work(*arguments)` in a process of its own, connected to the same chain.

    work: marked as `forked`. kinds: says what a step is; a function of a module, called there.
    kill_after: the number of the step after which it is killed, from 1; None to let it live.
    Raises AssertionError where the work raises or is stuck.
    """
    with TemporaryDirectory() as folder:
        told = Path(folder) / "steps"
        told.touch()
        process = forks().Process(
            target=_lived,
            args=(_connection(), work, arguments, kinds, told, kill_after),
        )
        process.start()
        process.join(_SECONDS)
        if process.exitcode is None:
            process.kill()
            raise AssertionError(f"{work.__name__} did not end within {_SECONDS} s")
        killed = process.exitcode == -signal.SIGKILL
        assert killed or process.exitcode == 0, f"{work.__name__} ended with {process.exitcode}"
        return Life(killed, told.read_text().splitlines())


def _connection() -> tuple[str, str, dict[str, str]]:
    """Network, provider and its settings, by which another process connects to the same chain."""
    provider = ape.chain.provider
    setting = "host" if provider.name == "foundry" else "uri"
    return provider.network.name, provider.name, {setting: provider.uri}


def _lived(
    connection: tuple[str, str, dict[str, str]],
    work: Callable[..., None],
    arguments: Sequence[Any],
    kinds: Callable[[], Sequence[StepKind]],
    told: Path,
    kill_after: int | None,
) -> None:
    steps = 0

    def after(name: str) -> None:
        nonlocal steps
        steps += 1
        with told.open("a") as file:
            file.write(f"{name}\n")
        if steps == kill_after:
            os.kill(os.getpid(), signal.SIGKILL)

    name, provider, settings = connection
    network = ape.networks.ethereum.networks[name]
    frugal = frugal_ape if provider == "foundry" else nullcontext
    with network.use_provider(provider, provider_settings=settings), frugal():
        for owner, name in kinds():
            setattr(owner, name, _followed(getattr(owner, name), after))
        work(*arguments)


def _followed(function: Callable[..., Any], after: Callable[[str], None]) -> Callable[..., Any]:
    @wraps(function)
    def followed(*arguments: Any, **named: Any) -> Any:
        result = function(*arguments, **named)
        after(function.__name__)
        return result

    return followed
