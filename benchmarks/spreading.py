"""What long benchmarks share: workers, a folder of finished runs, progress on standard error."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from offchain.runs.finished import Finished
from offchain.runs.spread import Spread

Command = TypeVar("Command", bound=Callable[..., Any])

_WORKERS = "processes that share the runs; default one for each core"
_KEPT = "folder of finished runs, which are not done again"


def add_spread(parser: argparse.ArgumentParser, name: str, *, ray: bool = False) -> None:
    """Options that say where runs are done and kept. name: the benchmark's."""
    parser.add_argument("--workers", type=int, help=_WORKERS)
    if ray:
        parser.add_argument("--ray", help="address of a Ray cluster instead, or local")
    parser.add_argument(
        "--kept",
        type=Path,
        default=kept_in(name),
        help=_KEPT,
    )


def click_spread(name: str) -> Callable[[Command], Command]:
    """The same options for a click command, as the parameters `workers` and `kept`."""

    def with_options(command: Command) -> Command:
        workers = click.option("--workers", type=click.IntRange(1), help=_WORKERS)
        kept = click.option(
            "--kept", type=click.Path(path_type=Path), default=kept_in(name), help=_KEPT
        )
        return workers(kept(command))

    return with_options


def kept_in(name: str) -> Path:
    """Where a benchmark keeps what is finished unless told otherwise."""
    return Path("reports/benchmarks", name)


def spread_of(given: argparse.Namespace) -> Spread:
    """The worker processes or the Ray cluster that the command line names."""
    return Spread.of(given.workers, getattr(given, "ray", None))


def finished_of(given: argparse.Namespace, version: int) -> Finished:
    """What is finished. version: as in `Finished`."""
    return Finished(given.kept, version)


def told(done: int, total: int) -> None:
    """Print one line for each run that is finished."""
    print(f"{done} of {total} runs", file=sys.stderr, flush=True)
