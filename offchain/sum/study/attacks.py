"""Attacks on the verdict, which the paper did not run: whether teaching the model buys money.

A month of four honest agents that together contribute every ten minutes, and one attacker that
comes eight times as often as each of them. It echoes the model until half of all good data is its
own; a holder then lives on that, and what others gain beyond a holder with the same draws is what
their attack brings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from offchain.sum.agents import Agent
from offchain.sum.rules import StakeTerms, Verdict
from offchain.sum.setting import COIN, Setting
from offchain.sum.study.case import Case

ATTACKS = ("flipper", "launderer")
DEFENDERS = ("honest", "trusting")
LARGEST_WEIGHTS = (1_000, 100)
"""Of the first model: one that yields to a lesson as the study's others do, and one that yields
ten times as much."""

ATTACKER_COINS = 800
"""A hundred times the deposit a quiet time after an update, which is the dearest of a verdict's."""

MONTH_STREAM = 4_320
"""Reviews: one in ten minutes for 30 days."""

_DEFENDER = Agent(
    "defender", start_balance=1_000, mean_update_wait_s=2_400, stdev_update_wait_s=600
)
_ATTACKER = Agent(
    "attacker",
    start_balance=ATTACKER_COINS,
    mean_deposit=100,
    stdev_deposit=0,
    mean_update_wait_s=300,
    stdev_update_wait_s=100,
    prob_mistake=0,
)


@dataclass(frozen=True)
class Attack:
    """One attack. defender: the strategy of those attacked. announced: whether verdicts are
    announced, as by the contracts, or the model's at the instant of the claim, as in the paper."""

    strategy: str
    defender: str
    announced: bool
    largest_weight: int

    @property
    def case(self) -> Case:
        """The run of the month; the attacker is the last agent."""
        defenders = (
            replace(_DEFENDER, name=f"defender {i}", strategy=self.defender) for i in range(4)
        )
        terms = StakeTerms(
            unit=COIN, submission_cost=COIN, verdict=Verdict() if self.announced else None
        )
        agents = (*defenders, replace(_ATTACKER, strategy=self.strategy))
        setting = Setting(agents=agents, terms=terms, largest_weight=self.largest_weight)
        return Case(setting, stream=MONTH_STREAM)

    @property
    def holder(self) -> Case:
        """The same month, in which the attacker attacks nobody."""
        return replace(self, strategy="holder").case


def attacks() -> tuple[Attack, ...]:
    """By model, rule and defenders; whoever is not asked for an answer gives none."""
    return tuple(
        Attack(strategy, defender, announced, largest)
        for largest in LARGEST_WEIGHTS
        for announced, defenders in ((False, DEFENDERS[:1]), (True, DEFENDERS))
        for defender in defenders
        for strategy in ATTACKS
    )
