"""One run of the study in numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from offchain.sum.metrics import accuracy_all, days_until_broke, outcome
from offchain.sum.result import History
from offchain.sum.rules import DAY
from offchain.sum.setting import Setting
from offchain.sum.simulation import simulate
from offchain.sum.study.case import Case, Ceiling, Task
from offchain.sum.study.data import Source, parts

EARLY_DAYS = (1, 7)
"""Days at whose end balances are noted."""


@dataclass(frozen=True)
class Measured:
    """What a case and a seed gave; tuples are by agent.

    before, after: accuracies, shares of the test set.
    balances: at the end, as shares of the start balance; early: at the end of EARLY_DAYS.
    broke, half: days until below 1 % and 50 % of the start balance; None if that never was.
    submitted, refunded, reported, answered: how many (`Tally`).
    awaited: mean days from contribution to refund; None where nothing was refunded.
    days: length of the run. unused: reviews nobody submitted.
    """

    before: float
    after: float
    balances: tuple[float, ...]
    early: tuple[tuple[float, ...], ...]
    broke: tuple[float | None, ...]
    half: tuple[float | None, ...]
    submitted: tuple[int, ...]
    refunded: tuple[int, ...]
    reported: tuple[int, ...]
    answered: tuple[int, ...]
    awaited: tuple[float | None, ...]
    days: float
    unused: int


def perform(source: Source, task: Task) -> Measured | float:
    """Do the task: what a case gave, or the accuracy of a ceiling."""
    if isinstance(task.what, Ceiling):
        return _ceiling(source, task.what, task.seed)
    return _run(source, task.what, task.seed)


def _ceiling(source: Source, what: Ceiling, seed: int) -> float:
    share = 0.5 if what.train_size is None else what.train_size
    split = parts(source, what.num_words, share, what.held_out, what.stream, seed)
    model = Setting(largest_weight=what.largest_weight, weight_limit=what.weight_limit)
    return accuracy_all(split, model, seed)


def _run(source: Source, case: Case, seed: int) -> Measured:
    split = parts(source, case.num_words, case.train_size, case.held_out, case.stream, seed)
    result = simulate(split, case.setting, seed)
    numbers = outcome(result)
    return Measured(
        before=numbers.accuracy_before,
        after=numbers.accuracy_after,
        balances=numbers.balances,
        early=tuple(tuple(_share_on(h, day) for day in EARLY_DAYS) for h in result.histories),
        broke=numbers.days_until_broke,
        half=tuple(days_until_broke(h, 0.5) for h in result.histories),
        submitted=tuple(tally.submitted for tally in result.tallies),
        refunded=tuple(tally.refunded for tally in result.tallies),
        reported=tuple(tally.reported for tally in result.tallies),
        answered=tuple(tally.answered for tally in result.tallies),
        awaited=tuple(
            tally.awaited_s / tally.refunded / DAY if tally.refunded else None
            for tally in result.tallies
        ),
        days=numbers.days,
        unused=result.unused,
    )


def _share_on(history: History, day: int) -> float:
    """The balance at the end of that day as a share of the first."""
    if not history.balances[0]:
        return math.inf
    latest = int(np.searchsorted(history.times, day * DAY, side="right")) - 1
    return float(history.balances[latest] / history.balances[0])
