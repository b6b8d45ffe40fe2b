"""The sweeps of the paper's section IV, each over one parameter with Table I's values elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from offchain.sum.agents import BAD, GOOD
from offchain.sum.rules import StakeTerms
from offchain.sum.setting import COIN, Setting
from offchain.sum.study.case import Case

WORDS = tuple(range(100, 1_001, 100))
TRAIN_SIZES = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 16, 24, 32)
DEPOSITS = (0.5, 5, 50, 500, 5_000)
COSTS = (1, 2, 3, 4, 5, 10, 15, 20, 25)
BOTH_DEPOSITS = (0.1, 0.5, 1, 2, 10)
START_BALANCES = (1_000, 2_500, 5_000, 10_000, 20_000, 50_000)
WAITS = (0.1, 0.25, 0.5, 1, 2, 4)
DEVIATIONS = (1, 5, 10, 20, 40)
MISTAKES = (0, 0.0001, 0.001, 0.01, 0.05, 0.1)
STREAMS = (2_300, 4_600, 9_200, 13_800, 18_400)

FLOOD_WAIT_S = 3
"""Seconds between two submissions of each agent: 2,400 an hour while their money lasts."""

FLOOD_STREAM = 2_300


@dataclass(frozen=True)
class Point:
    """One point of a sweep: its parameter's value and what is run."""

    at: float
    case: Case


@dataclass(frozen=True)
class Sweep:
    """Cases that differ in one parameter.

    name: a word for the command line and for files. parameter: what an axis says, with its unit.
    title: what a heading says. ceiling: whether Equation (1) is asked for, which needs a model
    trained on all good data. logarithmic: whether the parameter is shown by its natural logarithm.
    default: Table I's value, if the sweep has it.
    """

    name: str
    parameter: str
    title: str
    points: tuple[Point, ...]
    ceiling: bool = True
    logarithmic: bool = False
    default: float | None = None

    @property
    def values(self) -> tuple[float, ...]:
        """The parameter's values, in order."""
        return tuple(point.at for point in self.points)

    def cases(self) -> tuple[Case, ...]:
        """The case of each value, in the order of `values`."""
        return tuple(point.case for point in self.points)


def _points(values: Sequence[float], case: Callable[[float], Case]) -> tuple[Point, ...]:
    return tuple(Point(value, case(value)) for value in values)


def _agents(
    good: Mapping[str, float] | None = None, bad: Mapping[str, float] | None = None
) -> Case:
    agents = replace(GOOD, **(good or {})), replace(BAD, **(bad or {}))  # type: ignore[arg-type]
    return Case(Setting(agents=agents))


def _terms(terms: StakeTerms) -> Case:
    return Case(Setting(terms=terms))


def paper_sweeps(separate_test: bool = False) -> tuple[Sweep, ...]:
    """Figures 6 to 15 and section IV.E.

    separate_test: whether the data has a test set of its own; then no review is held out, and all
    that the first model is not trained with, 23,000, can be submitted.
    """
    accuracies = (
        Sweep(
            "num_words",
            "num_words",
            "Number of words (Fig. 6 and 7)",
            _points(WORDS, lambda n: Case(num_words=int(n))),
            default=1_000,
        ),
        Sweep(
            "train_size",
            "train_size [%]",
            "Share that trains the first model (Fig. 9 and 10)",
            _points(TRAIN_SIZES, lambda percent: Case(train_size=percent / 100)),
            default=8,
        ),
        Sweep(
            "mean_deposit",
            "good agent's mean_deposit [coins]",
            "Good agent's mean deposit (Fig. 12)",
            _points(DEPOSITS, lambda mean: _agents(good={"mean_deposit": mean})),
            logarithmic=True,
            default=50,
        ),
    )
    return (
        *accuracies,
        *(
            _long(sweep, number, separate_test)
            for sweep, number in zip(accuracies, (8, 11, 13), strict=True)
        ),
        Sweep(
            "cost-kept",
            "submission cost [coins], kept",
            "Submission cost, kept beside the deposit for those with good data (Fig. 14 and 15)",
            _points(COSTS, lambda c: _terms(StakeTerms(unit=COIN, submission_cost=int(c) * COIN))),
        ),
        Sweep(
            "cost-locked",
            "submission cost [coins], locked",
            "Submission cost, read as a deposit that is always the same (Fig. 14 and 15)",
            _points(COSTS, lambda c: _terms(StakeTerms(unit=int(c) * COIN, cost_weight=0))),
        ),
        Sweep(
            "cost-weight",
            "submission cost, as cost weight",
            "Submission cost, read as 0xDeCA10B's cost weight (Fig. 14 and 15)",
            _points(COSTS, lambda c: _terms(StakeTerms(unit=COIN, cost_weight=int(c)))),
            default=1,
        ),
        Sweep(
            "both_deposits",
            "both agents' mean_deposit, times Table I's",
            "Both agents' mean deposit, by the same factor (section IV.C)",
            _points(
                BOTH_DEPOSITS,
                lambda factor: _agents(
                    {"mean_deposit": factor * GOOD.mean_deposit},
                    {"mean_deposit": factor * BAD.mean_deposit},
                ),
            ),
            default=1,
        ),
        Sweep(
            "start_balance",
            "both agents' start_balance [coins]",
            "Start balance (section IV.E)",
            _points(
                START_BALANCES,
                lambda coins: _agents({"start_balance": coins}, {"start_balance": coins}),
            ),
            default=10_000,
        ),
        Sweep(
            "wait",
            "both agents' mean_update_wait_s, times Table I's",
            "Wait between submissions (section IV.E)",
            _points(
                WAITS,
                lambda factor: _agents(
                    {"mean_update_wait_s": factor * GOOD.mean_update_wait_s},
                    {"mean_update_wait_s": factor * BAD.mean_update_wait_s},
                ),
            ),
            default=1,
        ),
        Sweep(
            "flood",
            "both agents' mean_update_wait_s",
            f"A submission every {FLOOD_WAIT_S} seconds from each agent (section IV.E)",
            (Point(FLOOD_WAIT_S, _flood()),),
        ),
        Sweep(
            "stdev_deposit",
            "both agents' stdev_deposit [coins]",
            "Deviation of the deposit (section IV.E)",
            _points(
                DEVIATIONS,
                lambda coins: _agents({"stdev_deposit": coins}, {"stdev_deposit": coins}),
            ),
        ),
        Sweep(
            "prob_mistake",
            "good agent's prob_mistake",
            "Mistakes of the good agent (section IV.E)",
            _points(MISTAKES, lambda share: _agents(good={"prob_mistake": share})),
            default=0.0001,
        ),
        Sweep(
            "stream",
            "reviews submitted",
            "Length of the stream (not in the paper)",
            (
                *_points(STREAMS, lambda length: Case(stream=int(length))),
                Point(23_000 if separate_test else 22_080, _longest(Case(), separate_test)),
            ),
        ),
    )


def _flood() -> Case:
    wait = {"mean_update_wait_s": FLOOD_WAIT_S}
    setting = _agents(wait, wait).setting
    return Case(setting, stream=FLOOD_STREAM)


def _longest(case: Case, separate_test: bool) -> Case:
    """The case with as long a stream as there can be, for what takes nearly all of the paper's."""
    return case if separate_test else replace(case, held_out=1_000)


def _long(sweep: Sweep, figure: int, separate_test: bool) -> Sweep:
    points = (Point(p.at, _longest(p.case, separate_test)) for p in sweep.points)
    title = f"{sweep.title.partition(' (')[0]}, longest stream (Fig. {figure})"
    name = f"{sweep.name}-long"
    return replace(sweep, name=name, title=title, points=tuple(points), ceiling=False)
