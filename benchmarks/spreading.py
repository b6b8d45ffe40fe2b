"""What long benchmarks share: workers, a folder of finished runs, progress on standard error."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from offchain.runs.finished import Finished
from offchain.runs.spread import Spread


def add_spread(parser: argparse.ArgumentParser, name: str, *, ray: bool = False) -> None:
    """Options that say where runs are done and kept. name: the benchmark's."""
    parser.add_argument("--workers", type=int, help="processes that share the runs; a core each")
    if ray:
        parser.add_argument("--ray", help="address of a Ray cluster instead, or local")
    parser.add_argument(
        "--kept",
        type=Path,
        default=Path("reports/benchmarks", name),
        help="folder of finished runs, which are not done again",
    )


def spread_of(given: argparse.Namespace) -> Spread:
    """Where the runs are done."""
    return Spread.of(given.workers, getattr(given, "ray", None))


def finished_of(given: argparse.Namespace, version: int) -> Finished:
    """What is finished. version: as in `Finished`."""
    return Finished(given.kept, version)


def told(done: int, total: int) -> None:
    """One line for each run that is finished."""
    print(f"{done} of {total} runs", file=sys.stderr, flush=True)
