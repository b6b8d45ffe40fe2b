"""What the SUM paper's text says of its Figures 6 to 15 and in section IV.E, as data."""

from __future__ import annotations

import math
from dataclasses import dataclass

from offchain.sum.study.sweeps import TRAIN_SIZES, WORDS
from offchain.sum.study.verdicts import (
    POINT,
    Direction,
    Lowest,
    NoEffect,
    Published,
    Test,
    Unstable,
    Within,
)

RISES, FALLS = Direction(1), Direction(-1)
KEPT = 0.98
"""The malicious agent's balance at submission cost 1, by Figure 15's caption."""

ABOUT = Within(-POINT, POINT)


@dataclass(frozen=True)
class Claim:
    """One thing that the paper says.

    place: where; says: what, in short; sweep: by name; metric: of METRICS.
    supplement: True where the metric is ours, beside the paper's own which a run may not reach.
    """

    place: str
    says: str
    sweep: str
    metric: str
    test: Test
    supplement: bool = False


def _broke_falls(place: str, sweep: str, why: str, test: Test = FALLS) -> tuple[Claim, ...]:
    return (
        Claim(place, why, sweep, "broke", test),
        Claim(place, why, sweep, "half", test, supplement=True),
    )


def _gap(metric: str) -> tuple[Claim, ...]:
    """Figure 6 in either reading: Equation (1), or accuracy before less accuracy after."""
    close = Within(-POINT, POINT, tuple(range(400, 901, 100)))
    return (
        Claim("IV.A", "the gap is wider for few words", "num_words", metric, FALLS),
        Claim("Fig. 6", "the gap is very close to 0 from 400 to 900", "num_words", metric, close),
        Claim(
            "Fig. 6", "at 800 it is -0.42", "num_words", metric, Published(-0.0042, 0.00005, 800)
        ),
        Claim("Fig. 6", "it is least at 800", "num_words", metric, Lowest(800)),
    )


def _cost(sweep: str) -> tuple[Claim, ...]:
    return (
        Claim("Fig. 14", "accuracy after rises with the cost", sweep, "after", RISES),
        *_broke_falls("Fig. 15", sweep, "the higher the cost, the sooner the bad agent is broke"),
        Claim(
            "Fig. 15",
            "at cost 1 the bad agent loses only 2 %",
            sweep,
            "bad",
            Published(KEPT, 0.005, 1),
        ),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim("Fig. 7", "accuracy from all data rises with num_words", "num_words", "all", RISES),
    Claim("Fig. 7", "accuracy before rises with num_words", "num_words", "before", RISES),
    Claim("Fig. 7", "accuracy after rises with num_words", "num_words", "after", RISES),
    *_gap("gap"),
    *_gap("loss"),
    Claim(
        "IV.A",
        "below 400 words accuracy after is less stable",
        "num_words",
        "after",
        Unstable(WORDS[:3]),
    ),
    *_broke_falls("Fig. 8", "num_words-long", "the more words, the sooner the bad agent is broke"),
    *_broke_falls("Fig. 8", "num_words-long", "the bad agent is broke soonest at 800", Lowest(800)),
    Claim("Fig. 10", "accuracy before rises with train_size", "train_size", "before", RISES),
    Claim("Fig. 10", "accuracy after rises with train_size", "train_size", "after", RISES),
    Claim("Fig. 9", "the gap falls with train_size", "train_size", "gap", FALLS),
    Claim(
        "Fig. 9",
        "the gap is negative at 24 and 32 %",
        "train_size",
        "gap",
        Within(-math.inf, 0, (24, 32)),
    ),
    Claim(
        "IV.B",
        "below 5 % accuracy before is less stable",
        "train_size",
        "before",
        Unstable(TRAIN_SIZES[:4]),
    ),
    *_broke_falls(
        "Fig. 11", "train_size-long", "the more training, the sooner the bad agent is broke"
    ),
    Claim(
        "Fig. 12",
        "accuracy after is below accuracy before throughout",
        "mean_deposit",
        "loss",
        Within(0, math.inf),
    ),
    Claim(
        "Fig. 12",
        "accuracies before and after differ by at most 1 %",
        "mean_deposit",
        "loss",
        ABOUT,
    ),
    Claim("Fig. 12", "mean_deposit has little effect", "mean_deposit", "after", NoEffect()),
    Claim(
        "IV.C", "at 0.5 accuracy after is less stable", "mean_deposit", "after", Unstable((0.5,))
    ),
    *_broke_falls(
        "Fig. 13",
        "mean_deposit-long",
        "the higher the good agent's, the sooner the bad one is broke",
    ),
    Claim("IV.C", "both in proportion: little effect", "both_deposits", "after", NoEffect()),
    *_cost("cost-kept"),
    *_cost("cost-locked"),
    *_cost("cost-weight"),
    *_broke_falls(
        "IV.E", "start_balance", "the larger, the later the bad agent is broke", Direction(1)
    ),
    Claim("IV.E", "the larger, the lower accuracy after", "start_balance", "after", FALLS),
    *_broke_falls("IV.E", "wait", "the shorter, the sooner the bad agent is broke", Direction(1)),
    Claim(
        "IV.E",
        "in a flood the bad agent is broke within a day",
        "flood",
        "broke",
        Within(-math.inf, 1),
    ),
    Claim(
        "IV.E",
        "in a flood the good agent's balance falls at first",
        "flood",
        "good on day 1",
        Within(-math.inf, 1),
    ),
    Claim(
        "IV.E",
        "in a flood it rises after a week",
        "flood",
        "good after day 7",
        Within(0, math.inf),
    ),
    Claim("IV.E", "no significant effect", "stdev_deposit", "after", NoEffect()),
    # How far the paper went, it does not say.
    Claim("IV.E", "no significant effect, to 1 %", "prob_mistake", "after", NoEffect(upto=0.01)),
    Claim("IV.E", "no significant effect, to 10 %", "prob_mistake", "after", NoEffect()),
    Claim(
        "IV.E",
        "the good agent ends at 200 %",
        "mean_deposit-long",
        "good",
        Published(2.0, 0.005, 50),
    ),
    Claim(
        "IV.E", "the bad agent ends at 0 %", "mean_deposit-long", "bad", Published(0.0, 0.005, 50)
    ),
    Claim(
        "IV.E",
        "accuracy stays close to the initial one",
        "stream",
        "loss",
        Within(-POINT, POINT, (18_400,)),
    ),
    Claim(
        "V",
        "accuracy after is not higher than before",
        "stream",
        "loss",
        Within(0, math.inf, (18_400,)),
    ),
)
