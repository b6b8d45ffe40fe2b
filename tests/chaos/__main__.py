"""Plays mechanisms while things go wrong, and tells what came of it.

python -m tests.chaos [MECHANISM...]
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from offchain.runs.finished import Finished
from tests.chaos.faults import KINDS
from tests.chaos.prepared import prepared
from tests.chaos.stage import Ended, Stage
from tests.kit.strangers import ROOT
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


def played(run: Run, reports: Path, seconds: float) -> Ended:
    """Plays it to its end."""
    (play,) = (one for one in PLAYS if one.name == run.mechanism)
    logs = reports / run.place
    shutil.rmtree(logs, ignore_errors=True)
    fault = FAULTS[run.fault](run.seed, play.parties)
    return Stage(play, fault, prepared(reports, run.mechanism), logs, seconds).run()


@click.command()
@click.argument("mechanisms", nargs=-1, type=click.Choice(NAMES))
@click.option("--fault", multiple=True, type=click.Choice(list(FAULTS)), help="Kind; repeat.")
@click.option("--runs", type=click.IntRange(1), default=3, show_default=True, help="Of each kind.")
@click.option("--seed", default=0, show_default=True, help="Of the first run.")
@click.option("--seconds", default=400.0, show_default=True, help="After which one is given up.")
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
    reports: Path,
) -> None:
    """Play each mechanism under each kind of fault."""
    finished = Finished(reports / "finished", VERSION)
    bad = 0
    for kind in fault or FAULTS:
        for name in mechanisms or NAMES:
            for number in range(seed, seed + runs):
                run = Run(name, kind, number)
                ended = finished.get(run) or played(run, reports, seconds)
                if not ended.wrong:
                    finished.once(run, lambda ended=ended: ended)
                bad += not ended.same
                print(run.place, "same" if ended.same else "OTHER", ended, flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
