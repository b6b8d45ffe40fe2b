"""What `ape run share` does: the run itself, from the command line to the record."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import ape
import click

from offchain.sum.agents import BAD, GOOD, STRATEGIES, Agent
from offchain.sum.reviews import ReviewError, load_reviews, split
from offchain.sum.rules import DAY, FULL, StakeTerms
from offchain.sum.setting import Setting
from offchain.sum.simulation import Simulation
from scripts._sum.lockstep import Lockstep
from scripts._sum.report import Record, write
from scripts._sum.telling import ShareTelling

COIN = 10**15
"""Wei in a coin: a thousandth of an ether, so that Anvil's accounts have enough."""

KINDS = {"good": GOOD, "bad": BAD} | {
    name: replace(GOOD if name == "honest" else BAD, name=name, strategy=name)
    for name in STRATEGIES
}
"""Who may take part, by name; all with Table I's figures."""

MOST_AGENTS = 8
EVALUATE_EVERY_S = DAY // 4


@dataclass(frozen=True)
class Options:
    """See `ape run share --help`; money in coins, accuracy in per cent, gas price in gwei."""

    submissions: int
    words: int
    agents: str
    submission_cost: int
    stated_accuracy: float | None
    train_size: float
    seed: int
    gas_price: float

    def participants(self) -> tuple[Agent, ...]:
        """The agents named. Raises ClickException for who does not exist."""
        found: list[Agent] = []
        for part in self.agents.split(","):
            name, _, count = part.strip().partition(":")
            if name not in KINDS:
                raise click.ClickException(f"agents: {name!r} is none of {', '.join(KINDS)}")
            if count and not (count.isdecimal() and 1 <= int(count) <= MOST_AGENTS):
                raise click.ClickException(f"agents: {part!r} needs a count of 1 to {MOST_AGENTS}")
            # Numbered through, so that names stay distinct however often a kind is named.
            had = sum(agent.name.rstrip("0123456789 ") == name for agent in found)
            numbers = range(had + 1, had + int(count or 1) + 1)
            found += [replace(KINDS[name], name=f"{name} {n}") for n in numbers]
        if len(found) > MOST_AGENTS:
            raise click.ClickException(f"agents: at most {MOST_AGENTS}, not {len(found)}")
        return tuple(found)

    def terms(self) -> StakeTerms:
        """The incentive's, in wei."""
        stated = self.stated_accuracy
        return StakeTerms(
            unit=COIN,
            submission_cost=self.submission_cost * COIN,
            stated_accuracy=None if stated is None else round(stated * FULL / 100),
        )

    def setting(self) -> Setting:
        """The paper's setting, measured more often."""
        return Setting(
            agents=self.participants(),
            terms=self.terms(),
            coin=COIN,
            evaluate_every_s=EVALUATE_EVERY_S,
        )


def share(options: Options, folder: Path) -> None:
    """Runs it, tells of it and writes the record to `folder`."""
    started = time.monotonic()
    setting = options.setting()
    telling = ShareTelling()
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
        options.gas_price,
        checked=both.checked,
        seconds=time.monotonic() - started,
    )
    telling.end(record, write(record, result, folder))


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
