"""Crowds of agents, which the paper did not run: by strategy, and maps of two parameters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from offchain.sum.agents import Agent
from offchain.sum.rules import StakeTerms
from offchain.sum.setting import COIN, Setting
from offchain.sum.study.case import Case

CROWD = 10
"""Agents in a crowd."""

CROWD_STREAM = 9_200
"""Reviews that a crowd may submit: half of Table I's, to save time."""

MEMBER = Agent("member", start_balance=1_000, mean_update_wait_s=5_000, stdev_update_wait_s=2_500)
"""One of a crowd. Together they come as often as Table I's two agents, and own as much for each
review that there is; the wait varies, or all would come at the same second."""

STRATEGIES = ("flipped", "random", "targeted", "copycat", "parrot", "sybil")
MAP_COSTS = (0, 1, 2, 5, 10, 25)
MAP_TRAIN_SIZES = (0.5, 1, 2, 4, 8, 16)
MAP_MALICIOUS = (1, 2, 3, 4, 5, 7)
MAP_SEEDS = 3
"""Most seeds of a map, which has many points."""


@dataclass(frozen=True)
class Crowd:
    """A crowd of whom some are malicious, with the same crowd without them.

    strategy: of the malicious; cost: coins; train_size: per cent.
    """

    strategy: str
    malicious: int
    cost: int = 0
    train_size: float = 8

    @property
    def case(self) -> Case:
        """The run with the malicious agents."""
        agents = [replace(MEMBER, name=f"honest {i}") for i in range(CROWD - self.malicious)]
        agents += [
            replace(MEMBER, name=f"malicious {i}", strategy=self.strategy, prob_mistake=0)
            for i in range(self.malicious)
        ]
        terms = StakeTerms(unit=COIN, submission_cost=self.cost * COIN)
        return Case(
            Setting(agents=tuple(agents), terms=terms),
            train_size=self.train_size / 100,
            stream=CROWD_STREAM,
        )

    @property
    def clean(self) -> Case:
        """Without them: the honest ones are alone, with all else the same."""
        case = self.case
        honest = tuple(agent for agent in case.setting.agents if not agent.malicious)
        return replace(case, setting=replace(case.setting, agents=honest))


def crowds() -> dict[str, tuple[Crowd, ...]]:
    """For each strategy, 1 to CROWD - 1 malicious agents."""
    return {
        strategy: tuple(Crowd(strategy, count) for count in range(1, CROWD))
        for strategy in STRATEGIES
    }


@dataclass(frozen=True)
class Map:
    """Crowds over two parameters. cells: by (value of the second parameter, malicious agents)."""

    name: str
    parameter: str
    strategy: str
    rows: tuple[float, ...]

    @property
    def columns(self) -> tuple[int, ...]:
        """How many malicious agents each column has."""
        return MAP_MALICIOUS

    def crowd(self, row: float, malicious: int) -> Crowd:
        """The crowd of one cell. row: value of the second parameter."""
        if self.parameter == "cost":
            return Crowd(self.strategy, malicious, cost=int(row))
        return Crowd(self.strategy, malicious, train_size=row)

    def crowds(self) -> Iterator[Crowd]:
        """The crowds of all cells, row by row."""
        return (self.crowd(row, count) for row in self.rows for count in self.columns)


def maps(strategy: str) -> tuple[Map, Map]:
    """Malicious share by submission cost, and by the size of the first training."""
    return (
        Map("map-cost", "cost", strategy, MAP_COSTS),
        Map("map-train", "train_size", strategy, MAP_TRAIN_SIZES),
    )
