"""Plays all five mechanisms at once, each party a bot, and compares what each is paid with what it
is paid in a rehearsal.

python -m tests.market [MECHANISM...]
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from scripts._stage.telling import Telling
from tests.kit.nursery import ROOT
from tests.market.market import MOST_MEMORY, MOST_PROCESSES, SPEED, play_market
from tests.market.plays import PLAYS
from tests.market.sheets import market_sheets

NAMES = tuple(play.name for play in PLAYS)


@click.command()
@click.argument("mechanisms", nargs=-1, type=click.Choice(NAMES))
@click.option(
    "--speed",
    type=click.IntRange(1, 60),
    default=SPEED,
    show_default=True,
    help="Seconds of the chain's time in one of the wall's.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(1, 60),
    default=15.0,
    show_default=True,
    help="After which it is given up.",
)
@click.option(
    "--reports",
    type=click.Path(path_type=Path, file_okay=False),
    default=ROOT / "reports" / "market",
    help="Folder of what everybody said; default reports/market.",
)
def main(mechanisms: tuple[str, ...], speed: int, minutes: float, reports: Path) -> None:
    """Bring up a chain, two datastores and one bot per party, and play them unattended."""
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    plays = [play for play in PLAYS if play.name in (mechanisms or NAMES)]
    telling = Telling()
    result = play_market(plays, reports, telling, speed=speed, seconds=minutes * 60)
    telling.sheets(market_sheets(result))
    wrong = list(result.wrong)
    if result.meter.processes > MOST_PROCESSES:
        wrong.append(f"{result.meter.processes} processes at a time, at most {MOST_PROCESSES}")
    if result.meter.all_ > MOST_MEMORY:
        wrong.append(
            f"{result.meter.all_ / 10**9:.1f} GB at a time, at most {MOST_MEMORY / 10**9:g}"
        )
    for line in wrong:
        telling.show(f"not as it should be: {line}", "bold red")
    telling.show(f"It took {result.seconds:.0f} s; all that was said lies in {reports}.")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
