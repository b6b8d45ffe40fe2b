"""Submission costs that follow the entropy of a label, which the paper did not run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from offchain.sum.agents import BAD
from offchain.sum.rules import StakeTerms
from offchain.sum.setting import COIN, Setting
from offchain.sum.study.case import Case

ENTROPY_COSTS = (1, 5, 25)
ENTROPY_STRATEGIES = ("flipped", "random", "parrot", "targeted")
STATED_ACCURACY = 7_800
"""Basis points: what a first model of Table I's setting has."""


@dataclass(frozen=True)
class Priced:
    """Table I's two agents with a submission cost. informed: whether it follows the entropy."""

    strategy: str
    cost: int
    informed: bool

    @property
    def case(self) -> Case:
        """The run of both agents under this cost."""
        terms = StakeTerms(
            unit=COIN,
            submission_cost=self.cost * COIN,
            stated_accuracy=STATED_ACCURACY if self.informed else None,
        )
        good = Setting().agents[0]
        return Case(Setting(agents=(good, replace(BAD, strategy=self.strategy)), terms=terms))


def priced() -> tuple[Priced, ...]:
    """By strategy, then cost; the constant cost first."""
    return tuple(
        Priced(strategy, cost, informed)
        for strategy in ENTROPY_STRATEGIES
        for cost in ENTROPY_COSTS
        for informed in (False, True)
    )
