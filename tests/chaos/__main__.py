"""Plays mechanisms while things go wrong, and tells what came of it.

python -m tests.chaos [MECHANISM...]
"""

from __future__ import annotations

import shutil
import sys
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import product
from pathlib import Path

import click

from offchain.runs.finished import Finished
from tests.chaos.faults import KINDS
from tests.chaos.prepared import prepared
from tests.chaos.sheets import BROKEN, ends
from tests.chaos.sheets import page as sheet
from tests.chaos.stage import Ended, Stage, datastores
from tests.kit.nursery import ROOT
from tests.market.plays import PLAYS

VERSION = 1
"""To be raised when the same run would end otherwise."""
NAMES = tuple(play.name for play in PLAYS)
FAULTS = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True)
class Run:
    """One run, by what decides it."""

    mechanism: str
    fault: str
    seed: int

    @property
    def place(self) -> str:
        """Its folder among the reports."""
        return f"{self.mechanism}-{self.fault}-{self.seed}"


def played(run: Run, daemons: tuple[str, str], reports: Path, seconds: float) -> Ended:
    """Plays it to its end."""
    (play,) = (one for one in PLAYS if one.name == run.mechanism)
    logs = reports / run.place
    shutil.rmtree(logs, ignore_errors=True)
    fault = FAULTS[run.fault](run.seed, play.parties)
    return Stage(play, fault, prepared(reports, run.mechanism), daemons, logs, seconds).run()


@click.command()
@click.argument("mechanisms", nargs=-1, type=click.Choice(NAMES))
@click.option("--fault", multiple=True, type=click.Choice(list(FAULTS)), help="Kind; repeat.")
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True, help="Of each kind.")
@click.option("--seed", default=0, show_default=True, help="Of the first run.")
@click.option("--seconds", default=900.0, show_default=True, help="After which one is given up.")
@click.option(
    "--page",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Play nothing, and write what came of all that was played, as benchmarks/chaos.md.",
)
@click.option(
    "--reports",
    type=click.Path(path_type=Path, file_okay=False),
    default=ROOT / "reports" / "chaos",
    help="Folder of what everybody said, and of what is finished; default reports/chaos.",
)
def main(
    mechanisms: Sequence[str],
    fault: Sequence[str],
    runs: int,
    seed: int,
    seconds: float,
    page: Path | None,
    reports: Path,
) -> None:
    """Play each mechanism under each kind of fault, and tell how it ended.

    What is finished is not played again, whatever else was asked for then.
    """
    finished = Finished(reports / "finished", VERSION)
    found: dict[tuple[str, str], list[Ended]] = defaultdict(list)
    seeds = range(seed, seed + runs)
    kinds, names = fault or tuple(FAULTS), mechanisms or NAMES
    with ExitStack() as stack:
        daemons: tuple[str, str] | None = None
        for kind, name, number in product(kinds, names, seeds):
            run = Run(name, kind, number)
            ended = finished.get(run)
            if ended is None and not page:
                daemons = daemons or stack.enter_context(datastores())
                ended = finished.once(run, partial(played, run, daemons, reports, seconds))
            if ended is None:
                continue
            found[name, kind].append(ended)
            print(f"{datetime.now(UTC):%H:%M:%S} {run.place}: {ends(name, ended)}", flush=True)
            if not ended.same:
                print(f"    {ended}", flush=True)
    if page:
        page.write_text(sheet(NAMES, KINDS, found))
    broken = [one for one in found for run in found[one] if ends(one[0], run) == BROKEN]
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
