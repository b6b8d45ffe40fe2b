"""What a run of the SUM simulation is made of."""

from __future__ import annotations

from dataclasses import dataclass, field

from offchain.sum.agents import BAD, GOOD, Agent
from offchain.sum.learner import LARGEST_WEIGHT, LIMIT
from offchain.sum.rules import StakeTerms

COIN = 10**6
"""Units of money in a coin."""


@dataclass(frozen=True)
class Setting:
    """What a run is made of, beside its data.

    agents: one or more, with distinct names; a participant's number is its position here.
    terms: of the incentive, in units of money; by default deposits are whole coins.
    coin: units in one coin, 1 or more; agents' balances and deposits are in coins. Many, or a
        reporter's small share rounds to 0, which by the rule means all that is left.
    largest_weight, weight_limit: of the model, in units of its learning rate (learner.py).
    evaluate_every_s: seconds between two measurements of the accuracy, which honest agents heed.
    max_days: the run ends by then at the latest.
    block_s: seconds from block to block; agents come at multiples of it.
    """

    agents: tuple[Agent, ...] = (GOOD, BAD)
    terms: StakeTerms = field(default_factory=lambda: StakeTerms(unit=COIN))
    coin: int = COIN
    largest_weight: int = LARGEST_WEIGHT
    weight_limit: int = LIMIT
    evaluate_every_s: int = 200_000
    max_days: int = 1_000
    block_s: int = 1

    def __post_init__(self) -> None:
        names = [agent.name for agent in self.agents]
        if not names or len(set(names)) != len(names):
            raise ValueError(f"agents need distinct names, not {', '.join(names) or 'none at all'}")
        for name in ("coin", "evaluate_every_s", "max_days", "block_s"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
