"""What `ape run share` does: the run itself, from the command line to the record."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from ape.api import AccountAPI
from rich.console import Console

from offchain.sum.reviews import Split, load_reviews
from offchain.sum.simulation import Simulation, simulate
from scripts._stage.chain import alone, chain_home
from scripts._stage.deployments import deployed
from scripts._stage.party import PartyTelling
from scripts._stage.party_options import name_of
from scripts._sum.lockstep import Lockstep, twin_of
from scripts._sum.options import ShareOptions, ShareParties
from scripts._sum.parts import FACTORY
from scripts._sum.record import Record
from scripts._sum.report import report_of
from scripts._sum.telling import ShareTelling
from scripts._sum.waiting import (
    Journal,
    Outlook,
    WaitingModel,
    WaitingSimulation,
    lockstep,
    take_credits,
)


def share(options: ShareOptions, parties: ShareParties, folder: Path) -> None:
    """Runs it, tells of it and writes the report to `folder`.

    On a chain that others share it waits, and goes on where it was stopped.
    """
    started = time.monotonic()
    setting = options.setting()
    people = parties.people(len(setting.agents))
    telling = ShareTelling(Console(width=100))
    with telling.doing("reading reviews") as progress:
        reviews = load_reviews(options.words, progress=progress)
    parts = options.parts(reviews)
    both: Lockstep
    journal = None
    if alone():
        with telling.doing("training the first model"):
            simulation = Simulation(parts, setting, options.seed, log=True)
        with telling.doing("deploying"):
            both = Lockstep.alone(simulation, parts.stream, people)
    else:
        journal = Journal(_kept_at(options, people))
        both = waiting(options, parties, parts, people, journal, telling)
        simulation = both.simulation
    try:
        _play(both, options.submissions, telling)
        take_credits(both)
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
    if journal:
        journal.path.unlink()  # the next run is another
    telling.end(record, files)


def waiting(
    options: ShareOptions,
    parties: ShareParties,
    parts: Split,
    people: Sequence[AccountAPI],
    journal: Journal,
    telling: ShareTelling,
) -> Lockstep:
    """What is played where nobody moves the time, once that was told and agreed to."""
    setting, seed = options.setting(), options.seed
    factory = deployed(FACTORY, parties.deployments)
    if not journal.replaying:
        with telling.doing("seeing how long it takes") as progress:
            outlook = Outlook.of(simulate(parts, setting, seed, progress=progress))
        outlook.agreed(people, parties.yes)
    with telling.doing("training the first model"):
        simulation = WaitingSimulation(parts, setting, seed, log=True)
    model = WaitingModel(
        twin_of(simulation), setting.terms, people, factory, journal, PartyTelling()
    )
    telling.say(f"-- model {model.model.address}", "bold")
    return lockstep(simulation, parts.stream, model)


def _kept_at(options: ShareOptions, people: Sequence[AccountAPI]) -> Path:
    """Where a run of these options by these people is noted."""
    who = hashlib.sha256("".join(str(one.address) for one in people).encode()).hexdigest()
    return chain_home() / f"share-{name_of(options, 'gas_price', people=who)}.jsonl"


def _play(both: Lockstep, submissions: int, telling: ShareTelling) -> None:
    simulation = both.simulation
    told = 0
    # Who waits for days has no use for a line every few seconds.
    at_work = telling.doing("submitting, then settling") if alone() else nullcontext(_silent)
    with at_work as progress:
        while not simulation.done:
            both.step()
            progress(simulation.submitted, submissions)
            if len(simulation.accuracies) > told:
                told = len(simulation.accuracies)
                # With the same weights on chain this is the contract's accuracy too.
                both.check_model()
                telling.state(simulation)
    both.check_model()


def _silent(done: int, total: int) -> None:
    """How far it is, told to nobody."""
