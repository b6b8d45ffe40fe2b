"""What is kept of an `ape run share`, as plain values."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from offchain.sum.result import Result
from offchain.sum.rules import DAY
from scripts._stage.gas import CallRecord, summed
from scripts._sum.options import ShareOptions


@dataclass(frozen=True)
class AgentRecord:
    """One agent: how many of each call, balances in coins, and the gas it paid for."""

    name: str
    strategy: str
    submitted: int
    refunded: int
    reported: int
    taken_over: int
    refused: int
    start_balance: float
    balance: float
    gas: int


@dataclass(frozen=True)
class Record:
    """A run.

    options: as on the command line. accuracies: (day, share of the test set), at least one.
    checked: how many answers of the chain were compared. seconds: of wall clock.
    """

    agents: tuple[AgentRecord, ...]
    calls: tuple[CallRecord, ...]
    options: dict[str, object]
    accuracies: tuple[tuple[float, float], ...]
    ended_on_day: float
    gas_price_gwei: float
    checked: int
    seconds: float

    @staticmethod
    def of(
        result: Result,
        calls: dict[str, list[int]],
        gas: list[int],
        options: ShareOptions,
        *,
        checked: int,
        seconds: float,
    ) -> Record:
        """calls: gas of each, by name; gas: by agent."""
        return Record(
            agents=tuple(
                AgentRecord(
                    name=agent.name,
                    strategy=agent.strategy,
                    submitted=tally.submitted,
                    refunded=tally.refunded,
                    reported=tally.reported,
                    taken_over=tally.taken_over,
                    refused=tally.refused,
                    start_balance=agent.start_balance,
                    balance=float(history.balances[-1]),
                    gas=used,
                )
                for agent, tally, history, used in zip(
                    result.setting.agents, result.tallies, result.histories, gas, strict=True
                )
            ),
            calls=summed(calls),
            options=asdict(options),
            accuracies=tuple((now / DAY, accuracy) for now, accuracy in result.accuracies),
            ended_on_day=result.ended_at / DAY,
            gas_price_gwei=options.gas_price,
            checked=checked,
            seconds=seconds,
        )
