"""What the finished tasks say of a sweep: metrics as arrays over seeds and points."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from offchain.sum.study.case import Case, Task
from offchain.sum.study.measure import Measured
from offchain.sum.study.statistics import Values


@dataclass(frozen=True)
class Run:
    """A case's numbers of one seed, with the accuracy from all good data where it was asked for."""

    case: Case
    measured: Measured
    accuracy_all: float | None

    @property
    def bad(self) -> int:
        """The malicious agent; where there are several, the first."""
        return self.case.malicious[0]

    @property
    def gap(self) -> float:
        """Equation (1): accuracy with all good data less accuracy after the run, as a share."""
        if self.accuracy_all is None:
            raise ValueError("the sweep was run without accuracies from all good data")
        return self.accuracy_all - self.measured.after


def _never(days: float | None) -> float:
    return math.inf if days is None else days


METRICS: dict[str, Callable[[Run], float]] = {
    "before": lambda run: run.measured.before,
    "after": lambda run: run.measured.after,
    "all": lambda run: run.measured.after + run.gap,
    "gap": lambda run: run.gap,
    "loss": lambda run: run.measured.before - run.measured.after,
    "bad": lambda run: run.measured.balances[run.bad],
    "good": lambda run: run.measured.balances[0],
    "broke": lambda run: _never(run.measured.broke[run.bad]),
    "half": lambda run: _never(run.measured.half[run.bad]),
    "good on day 1": lambda run: run.measured.early[0][0],
    "good after day 7": lambda run: run.measured.balances[0] - run.measured.early[0][1],
}
"""Shares of the test set or of the start balance, and days (infinite for never).

all: accuracy of a model trained on all good data; gap: Equation (1); loss: accuracy before less
accuracy after. bad, good: final balance. broke, half: days until the malicious agent has less than
1 % and 50 %.
"""

DAYS = frozenset({"broke", "half"})
"""The metrics that are days; the others are shares, and are shown as per cent."""


class Results:
    """The results of a study's tasks."""

    def __init__(self, seeds: int) -> None:
        self.seeds = seeds
        self._found: dict[Task, Measured | float] = {}

    def put(self, task: Task, found: Measured | float) -> None:
        """Keep what `perform` found for a task."""
        self._found[task] = found

    def measured(self, case: Case, seed: int) -> Measured:
        """A run's numbers. Raises KeyError where it was not run."""
        found = self._found[Task(case, seed)]
        assert isinstance(found, Measured)
        return found

    def run(self, case: Case, seed: int) -> Run:
        """A run's numbers with those it is compared with."""
        ceiling = self._found.get(Task(case.ceiling, seed))
        assert not isinstance(ceiling, Measured)
        return Run(case, self.measured(case, seed), ceiling)

    def values(self, cases: Sequence[Case], metric: str) -> Values:
        """A metric of METRICS, (seeds, cases)."""
        of = METRICS[metric]
        return np.array(
            [[of(self.run(case, seed)) for case in cases] for seed in range(self.seeds)]
        )

    def difference(self, case: Case, clean: Case, seeds: int) -> Values:
        """Accuracy after `case` less that after `clean`, (seeds,)."""
        return np.array(
            [
                self.measured(case, seed).after - self.measured(clean, seed).after
                for seed in range(seeds)
            ]
        )
