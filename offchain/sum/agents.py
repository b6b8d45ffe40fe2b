"""Who submits data in the simulation, how often, with what deposit, and with which labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

CONFIDENCE = 0.15
"""Honest agents work with this probability plus the model's accuracy, as in 0xDeCA10B."""


PATIENCE = 50
"""Contributions of a sybil that must prove good before it lies."""


MOST_LESSONS = 3
"""An attacker leaves alone what takes more lessons than this to turn."""


class Submission(NamedTuple):
    """What an agent would contribute: a review of the stream, by its position, and a label."""

    review: int
    label: int


class Target(NamedTuple):
    """An open contribution whose verdict lessons could turn.

    what: its sample and label. lessons: how many of the sample would turn it, at least. served:
    whether the verdict that turning it would serve stands announced.
    """

    what: Submission
    lessons: int
    served: bool


@dataclass(slots=True)
class Moment:
    """What an agent knows when it may submit.

    review: the next review of the stream, which nobody has submitted yet; truth: its true label.
    classes: number of labels.
    predict: the model's label for that review as the model stands, computed when called.
    accuracy: the model's accuracy when it was last measured, 0 to 1.
    good_data: how many of the agent's contributions proved good; total_good: and of all.
    holds: what share of all good data the agent wants to hold, if it wants any.
    latest: what somebody else contributed last; None if nobody did.
    turned: the agent's oldest open contribution that it announced as good, so that the model agreed
        then, and that the model now disagrees with, or that has stood announced as bad for half of
        the wait; None if there is none; looked up when called.
    soonest: what of its own the model denies (True), or of others' it confirms (False), among all
        that is open, that lessons would turn soonest; what would serve a verdict that stands
        announced comes first; None if there is none; looked up when called.
    poised: whether the agent could announce or claim something, were it quiet; looked up when
        called.
    now: seconds since the start.
    random: the agent's own generator.
    """

    review: int
    truth: int
    classes: int
    predict: Callable[[], int]
    accuracy: float
    good_data: int
    total_good: int
    holds: float
    latest: Submission | None
    turned: Callable[[], Submission | None]
    soonest: Callable[[bool], Target | None]
    poised: Callable[[], bool]
    now: int
    random: np.random.Generator

    def submit(self, label: int) -> Submission:
        """The next review with that label."""
        return Submission(self.review, label)

    @property
    def wrong(self) -> int:
        """A label that is not the true one: the class after it."""
        return (self.truth + 1) % self.classes


Strategy = Callable[[Moment], Submission | None]
"""What to submit, or None to submit nothing this time."""


def trusting(moment: Moment) -> Submission | None:
    """The true label, while the model does well: a failing model is not worth the work."""
    worth_it = moment.random.random() < moment.accuracy + CONFIDENCE
    return moment.submit(moment.truth) if worth_it else None


def honest(moment: Moment) -> Submission | None:
    """As the trusting, but first it answers: what the model agreed with when the agent announced
    its refund, and does not any more, it teaches again, and so upholds it; likewise what stands
    announced as bad and cannot be objected to, as it is never quiet."""
    turned = moment.turned()
    return trusting(moment) if turned is None else turned


def flipped(moment: Moment) -> Submission | None:
    """The wrong label, always: the paper's malicious agent."""
    return moment.submit(moment.wrong)


def random_label(moment: Moment) -> Submission | None:
    """Submits a label that is drawn by chance, every class alike."""
    return moment.submit(int(moment.random.integers(moment.classes)))


def targeted(moment: Moment) -> Submission | None:
    """The wrong label for every positive review, the true one for the others: half its data is
    good, and pays for the rest."""
    return moment.submit(moment.wrong if moment.truth == 1 else moment.truth)


def copycat(moment: Moment) -> Submission | None:
    """What somebody else contributed last, once more: no data of its own, no work."""
    return moment.latest


def parrot(moment: Moment) -> Submission | None:
    """What the model says already: never taught anything, and nearly always refunded."""
    return moment.submit(moment.predict())


def sybil(moment: Moment) -> Submission | None:
    """The true label until PATIENCE contributions proved good, and the wrong one ever after."""
    return moment.submit(moment.truth if moment.good_data < PATIENCE else moment.wrong)


def holder(moment: Moment) -> Submission | None:
    """Echoes the model until its share of all good data is its own, then lives on what that
    yields."""
    wants = moment.good_data < moment.holds * moment.total_good or not moment.good_data
    return parrot(moment) if wants else None


def flipper(moment: Moment) -> Submission | None:
    """A holder that teaches the opposite of what others have open, what it has turned before first,
    then what turns soonest: to report it, and to take the deposits."""
    if (echo := holder(moment)) is not None:
        return echo
    return _contrary(moment.soonest(False))


def staller(moment: Moment) -> Submission | None:
    """A flipper that lets it be quiet when that serves it alone: it waits with its lessons until it
    has announced or claimed what the model denies, and turns what an author has taught again at
    once, before anybody can object. It has to come within every quiet time."""
    target = moment.soonest(False)
    if target is not None and target.served and target.lessons <= MOST_LESSONS:
        return _contrary(target)
    if moment.poised():
        return None
    return flipper(moment)


def launderer(moment: Moment) -> Submission | None:
    """A holder that lies, and teaches its lies again until the model believes them: to have its
    deposits back, and good data besides."""
    if (echo := holder(moment)) is not None:
        return echo
    lie = moment.soonest(True)
    return moment.submit(moment.wrong) if lie is None or lie.lessons > MOST_LESSONS else lie.what


def _contrary(target: Target | None) -> Submission | None:
    """A lesson against it, if it turns soon enough."""
    if target is None or target.lessons > MOST_LESSONS:
        return None
    return Submission(target.what.review, 1 - target.what.label)


HONEST = ("honest", "trusting")
"""Strategies that submit only what they believe."""

STRATEGIES: dict[str, Strategy] = {
    "honest": honest,
    "trusting": trusting,
    "flipped": flipped,
    "random": random_label,
    "targeted": targeted,
    "copycat": copycat,
    "parrot": parrot,
    "sybil": sybil,
    "holder": holder,
    "flipper": flipper,
    "staller": staller,
    "launderer": launderer,
}
"""Strategies by name; more can be added."""


@dataclass(frozen=True)
class Agent:
    """One participant; defaults are Table I's good agent.

    name: distinct among the agents of a run.
    strategy: a name in STRATEGIES.
    start_balance: units of money.
    mean_deposit, stdev_deposit: units, of the normal distribution of what it offers; draws are
        cut to whole units, and drawn again below 1.
    mean_update_wait_s, stdev_update_wait_s: seconds, of the wait before it comes again; likewise.
    prob_mistake: share of its labels that come out wrong by mistake.
    holds: share of all good data that a holder, or who attacks as one, echoes the model for.
    """

    name: str
    strategy: str = "honest"
    start_balance: int = 10_000
    mean_deposit: float = 50
    stdev_deposit: float = 10
    mean_update_wait_s: float = 600
    stdev_update_wait_s: float = 1
    prob_mistake: float = 0.0001
    holds: float = 0.5

    def __post_init__(self) -> None:
        if self.strategy not in STRATEGIES:
            raise ValueError(
                f"no strategy is called {self.strategy!r}; there are {', '.join(STRATEGIES)}"
            )
        if self.start_balance < 0:
            raise ValueError(f"a balance starts at 0 or more, not {self.start_balance}")
        if not 0 <= self.prob_mistake <= 1:
            raise ValueError(f"prob_mistake is a share from 0 to 1, not {self.prob_mistake}")
        if not 0 < self.holds < 1:
            raise ValueError(f"holds is a share between 0 and 1, not {self.holds}")
        for what, mean, deviation in (
            ("deposit", self.mean_deposit, self.stdev_deposit),
            ("wait", self.mean_update_wait_s, self.stdev_update_wait_s),
        ):
            # Otherwise a draw of 1 or more might never come.
            if not (mean > 0 and deviation >= 0 and mean + deviation >= 1):
                raise ValueError(
                    f"a {what} needs a mean above 0, a deviation of 0 or more, and a sum of 1 or "
                    f"more, not {mean} and {deviation}"
                )

    @property
    def malicious(self) -> bool:
        """Whether it submits labels that it does not believe."""
        return self.strategy not in HONEST


GOOD = Agent("good")
"""Table I's good agent."""

BAD = Agent(
    "bad",
    strategy="flipped",
    mean_deposit=100,
    stdev_deposit=3,
    mean_update_wait_s=3_600,
    prob_mistake=0,
)
"""Table I's malicious agent."""


def draw(random: np.random.Generator, mean: float, deviation: float) -> int:
    """A whole number of 1 or more, from the normal distribution cut towards 0."""
    while True:
        value = int(random.normal(mean, deviation))
        if value >= 1:
            return value
