"""What the SUM paper measures of a run (section IV)."""

from __future__ import annotations

from dataclasses import dataclass

from offchain.sum.learner import Judge, train
from offchain.sum.result import History, Result
from offchain.sum.reviews import ReviewSet, Split
from offchain.sum.rules import DAY
from offchain.sum.setting import Setting

BROKE = 0.01
"""Share of its start balance below which an agent counts as broke."""


@dataclass(frozen=True)
class Outcome:
    """One run in numbers.

    accuracy_before, accuracy_after: of the model before anything and after everything, shares of
        the held-out set.
    accuracy_all: of a model trained on all good data, None when it was not asked for.
    balances: each agent's at the end, as a share of its start balance (infinite from nothing).
    days_until_broke: by agent, None for those that never were.
    days: how long the run lasted.
    """

    accuracy_before: float
    accuracy_after: float
    accuracy_all: float | None
    balances: tuple[float, ...]
    days_until_broke: tuple[float | None, ...]
    days: float

    @property
    def gap(self) -> float:
        """Equation (1): accuracy_all - accuracy_after. Below 0, the shared model is better."""
        if self.accuracy_all is None:
            raise ValueError("the gap needs the accuracy of a model trained on all good data")
        return self.accuracy_all - self.accuracy_after


def outcome(result: Result, accuracy_all: float | None = None) -> Outcome:
    """The figures of a run. accuracy_all: of a model that learnt all good data, in [0, 1]."""
    histories = result.histories
    return Outcome(
        accuracy_before=result.accuracies[0][1],
        accuracy_after=result.accuracies[-1][1],
        accuracy_all=accuracy_all,
        balances=tuple(
            float(h.balances[-1] / h.balances[0]) if h.balances[0] else float("inf")
            for h in histories
        ),
        days_until_broke=tuple(days_until_broke(h) for h in histories),
        days=result.ended_at / DAY,
    )


def days_until_broke(history: History, share: float = BROKE) -> float | None:
    """Days until the balance first falls below `share` of what it was; None if it never does.

    The paper waits for zero; but an agent that can no longer pay keeps some last coins, and what
    it has locked may come back, so that the first time is what tells.
    """
    below = history.balances < share * history.balances[0]
    return float(history.times[below.argmax()]) / DAY if below.any() else None


def accuracy_all(split: Split, setting: Setting, seed: int) -> float:
    """Accuracy of a model trained, as the first one is, on all of `initial` and `stream`."""
    everything = ReviewSet.joined(split.initial, split.stream)
    model = train(everything, seed, largest=setting.largest_weight, limit=setting.weight_limit)
    return Judge(split.test).accuracy(model)
