"""What the command line of `ape run share` says, turned into agents, terms and setting."""

from __future__ import annotations

from dataclasses import dataclass, replace

import click

from offchain.sum.agents import BAD, GOOD, HONEST, STRATEGIES, Agent
from offchain.sum.rules import DAY, FULL, StakeTerms, Verdict
from offchain.sum.setting import Setting

COIN = 10**15
"""Wei in a coin: a thousandth of an ether, so that Anvil's accounts have enough."""

KINDS = {"good": GOOD, "bad": BAD} | {
    name: replace(GOOD if name in HONEST else BAD, name=name, strategy=name) for name in STRATEGIES
}
"""Who may take part, by name; all with Table I's figures."""

MOST_AGENTS = 8
EVALUATE_EVERY_S = DAY // 4


@dataclass(frozen=True)
class ShareOptions:
    """The options of `ape run share`; money in coins, accuracy in per cent, gas price in gwei."""

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
        )
