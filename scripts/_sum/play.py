"""What `ape run share` does: the run itself, from the command line to the record."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import ape
from rich.console import Console

from offchain.sum.reviews import ReviewError, load_reviews, split
from offchain.sum.simulation import Simulation
from scripts._sum.lockstep import Lockstep
from scripts._sum.options import ShareOptions
from scripts._sum.record import Record
from scripts._sum.report import report_of
from scripts._sum.telling import ShareTelling


def share(options: ShareOptions, folder: Path) -> None:
    """Runs it, tells of it and writes the report to `folder`."""
    started = time.monotonic()
    setting = options.setting()
    telling = ShareTelling(Console(width=100))
    with telling.doing("reading reviews") as progress:
        reviews = load_reviews(options.words, progress=progress)
    parts = split(reviews, options.seed, train_size=options.train_size)
    if len(parts.stream) < options.submissions:
        raise ReviewError(f"{len(parts.stream)} reviews are left to submit after training")
    parts = replace(parts, stream=parts.stream.subset(range(options.submissions)))
    with telling.doing("training the first model"):
        simulation = Simulation(parts, setting, options.seed, log=True)
    with telling.doing("deploying"):
        people = ape.accounts.test_accounts[: 1 + len(setting.agents)]
        both = Lockstep(simulation, parts.stream, people)
    try:
        _play(both, options.submissions, telling)
    finally:
        both.chain.close()
    result = simulation.result()
    record = Record.of(
        result,
        dict(both.calls),
        both.gas,
        options,
        checked=both.checked,
        seconds=time.monotonic() - started,
    )
    with telling.doing("writing the report"):
        files = report_of(record, result).write(folder)
    telling.end(record, files)


def _play(both: Lockstep, submissions: int, telling: ShareTelling) -> None:
    simulation = both.simulation
    told = 0
    with telling.doing("submitting, then settling") as progress:
        while not simulation.done:
            both.step()
            progress(simulation.submitted, submissions)
            if len(simulation.accuracies) > told:
                told = len(simulation.accuracies)
                # With the same weights on chain this is the contract's accuracy too.
                both.check_model()
                telling.state(simulation)
    both.check_model()
