"""Attacks on the verdict, which the paper did not run: whether teaching the model buys money.

A month of four honest agents that together contribute every ten minutes, and one attacker that
comes eight times as often as each of them, a staller within every quiet time. It echoes the model
until a share of all good data is its own; a holder then lives on that, and what others gain beyond
a holder with the same draws is what their attack brings.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from offchain.sum.agents import Agent
from offchain.sum.rules import StakeTerms, Verdict
from offchain.sum.setting import COIN, Setting
from offchain.sum.study.case import Case

ATTACKS = ("flipper", "launderer", "staller")
DEFENDERS = ("honest", "trusting")
LARGEST_WEIGHTS = (1_000, 100)
"""Of the first model: one that yields to a lesson as the study's others do, and one that yields
ten times as much."""

DEAREST_DEPOSIT = 8
"""Coins, a quiet time after an update: more is asked of nobody whose lesson a verdict waits for."""

GRID = ((0.1, 10), (0.1, 100), (0.25, 30), (0.5, 10))
"""Shares of all good data, and capital in deposits, beside half and a hundred."""

GRID_SEEDS = 3

MONTH_STREAM = 4_320
"""Reviews: one in ten minutes for 30 days."""

_STALLING_S = 55
"""Seconds between two visits of a staller: within every quiet time, with some to spare."""

_DEFENDER = Agent(
    "defender", start_balance=1_000, mean_update_wait_s=2_400, stdev_update_wait_s=600
)
_ATTACKER = Agent(
    "attacker",
    mean_deposit=100,
    stdev_deposit=0,
    mean_update_wait_s=300,
    stdev_update_wait_s=100,
    prob_mistake=0,
)


@dataclass(frozen=True)
class Attack:
    """One attack. defender: the strategy of those attacked. announced: whether verdicts are
    announced, as by the contracts, or the model's at the instant of the claim, as in the paper.
    share: of all good data that the attacker holds. deposits: its capital."""

    strategy: str
    defender: str
    announced: bool
    largest_weight: int
    share: float = 0.5
    deposits: int = 100

    @property
    def coins(self) -> int:
        """The attacker's capital."""
        return self.deposits * DEAREST_DEPOSIT

    @property
    def case(self) -> Case:
        """The run of the month; the attacker is the last agent."""
        defenders = (
            replace(_DEFENDER, name=f"defender {i}", strategy=self.defender) for i in range(4)
        )
        terms = StakeTerms(
            unit=COIN, submission_cost=COIN, verdict=Verdict() if self.announced else None
        )
        agents = (*defenders, self._attacker)
        setting = Setting(agents=agents, terms=terms, largest_weight=self.largest_weight)
        return Case(setting, stream=MONTH_STREAM)

    @property
    def holder(self) -> Case:
        """The same month, in which the attacker, who comes as often, attacks nobody."""
        case = self.case
        attacker = replace(case.setting.agents[-1], strategy="holder")
        agents = (*case.setting.agents[:-1], attacker)
        return replace(case, setting=replace(case.setting, agents=agents))

    @property
    def _attacker(self) -> Agent:
        attacker = replace(
            _ATTACKER, strategy=self.strategy, start_balance=self.coins, holds=self.share
        )
        if self.strategy == "staller":
            return replace(attacker, mean_update_wait_s=_STALLING_S, stdev_update_wait_s=0)
        return attacker


def attacks() -> tuple[Attack, ...]:
    """By model, rule and defenders; whoever is not asked for an answer gives none, and nobody is
    stalled where the model decides at once."""
    return tuple(
        Attack(strategy, defender, announced, largest)
        for largest in LARGEST_WEIGHTS
        for announced, defenders in ((False, DEFENDERS[:1]), (True, DEFENDERS))
        for defender in defenders
        for strategy in ATTACKS
        if announced or strategy != "staller"
    )


def grid() -> tuple[Attack, ...]:
    """By model, share and capital, against those who answer, by the contracts' rule."""
    return tuple(
        Attack(strategy, "honest", True, largest, share, deposits)
        for largest in LARGEST_WEIGHTS
        for share, deposits in GRID
        for strategy in ATTACKS
    )
