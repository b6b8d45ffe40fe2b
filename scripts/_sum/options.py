"""What the command line of `ape run share` says, turned into agents, terms and setting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import ape
import click
from ape.api import AccountAPI

from offchain.sum.agents import BAD, GOOD, HONEST, STRATEGIES, Agent
from offchain.sum.reviews import ReviewError, ReviewSet, Split, split
from offchain.sum.rules import DAY, FULL, StakeTerms, Verdict
from offchain.sum.setting import Setting
from scripts._stage.accounts import is_local, load

COIN = 10**15
"""Wei in a coin: a thousandth of an ether, so that Anvil's accounts have enough."""

KINDS = {"good": GOOD, "bad": BAD} | {
    name: replace(GOOD if name in HONEST else BAD, name=name, strategy=name) for name in STRATEGIES
}
"""Who may take part, by name; all with Table I's figures."""

MOST_AGENTS = 8
EVALUATE_EVERY_S = DAY // 4


@dataclass(frozen=True)
class ShareParties:
    """Who plays off a local chain: aliases of the keystore. yes: sign and begin without asking."""

    owner: str | None = None
    agent: tuple[str, ...] = ()
    yes: bool = False
    deployments: Path = Path("deployments")

    def people(self, agents: int) -> list[AccountAPI]:
        """The owner, then an account for each agent; test accounts on a local chain. Raises
        ClickException where some are missing."""
        if is_local():
            return list(ape.accounts.test_accounts[: 1 + agents])
        if self.owner is None or len(self.agent) != agents:
            raise click.ClickException(
                f"off a local chain name --owner and {agents} times --agent, "
                f"not {len(self.agent)} times"
            )
        if len({self.owner, *self.agent}) != 1 + agents:
            raise click.ClickException("owner and agents need an account each")
        return [load(alias, self.yes) for alias in (self.owner, *self.agent)]


@dataclass(frozen=True)
class ShareOptions:
    """The options of `ape run share`; money in coins, accuracy in per cent, gas price in gwei."""

    submissions: int
    words: int
    agents: str
    submission_cost: int
    stated_accuracy: float | None
    train_size: float
    block_seconds: int
    seed: int
    gas_price: float

    def parts(self, reviews: ReviewSet) -> Split:
        """What the first model learns, and the reviews to submit. Raises ReviewError."""
        parts = split(reviews, self.seed, train_size=self.train_size)
        if len(parts.stream) < self.submissions:
            raise ReviewError(f"{len(parts.stream)} reviews are left to submit after training")
        return replace(parts, stream=parts.stream.subset(range(self.submissions)))

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
        """The terms of the stake incentive, amounts in wei."""
        stated = self.stated_accuracy
        return StakeTerms(
            unit=COIN,
            submission_cost=self.submission_cost * COIN,
            stated_accuracy=None if stated is None else round(stated * FULL / 100),
            verdict=Verdict(),
        )

    def setting(self) -> Setting:
        """The paper's setting, measured more often."""
        return Setting(
            agents=self.participants(),
            terms=self.terms(),
            coin=COIN,
            evaluate_every_s=EVALUATE_EVERY_S,
            block_s=self.block_seconds,
        )
