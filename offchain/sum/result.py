"""What comes of a run of the SUM simulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from offchain.sum.setting import Setting


class Contribution(NamedTuple):
    """A submission that was accepted; its number is its position in the order of time."""

    author: int
    review: int
    label: int
    added_at: int
    deposit: int


class Event(NamedTuple):
    """What one call to the contract did.

    kind: add, announce, object, uphold, refund, report, take over or collect.
    amount: units that the agent paid (add: deposit and cost) or got; announce, object, uphold: 0.
    balance: the agent's, after it.
    predicted: the model's label for the review before the call; -1 where it was not asked.
    """

    now: int
    kind: str
    agent: int
    contribution: int
    amount: int
    balance: int
    predicted: int


class Call(NamedTuple):
    """What an agent is about to call.

    kind, agent, contribution, predicted: as of the Event that comes of it. sample: review and label
    of an add; payment: what it asks for at this second, deposit and cost in units.
    """

    kind: str
    agent: int
    contribution: int
    predicted: int = -1
    sample: tuple[int, int] = (-1, -1)
    payment: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class History:
    """An agent's balance, in coins (float64), at each time it came (int64, seconds)."""

    times: npt.NDArray[np.int64]
    balances: npt.NDArray[np.float64]


@dataclass
class Tally:
    """How many calls of each kind an agent made; refused: those that the rules did not take.

    answered: how many of those submitted repeat an own contribution that others flipped.
    awaited_s: seconds from contribution to refund, over all that were refunded.
    """

    submitted: int = 0
    answered: int = 0
    announced: int = 0
    objected: int = 0
    upheld: int = 0
    awaited_s: int = 0
    refunded: int = 0
    reported: int = 0
    taken_over: int = 0
    refused: int = 0


@dataclass(frozen=True)
class Result:
    """What came of a run.

    accuracies: (seconds, share of the test set) from before the first to after the last event.
    histories, tallies: by agent, in the order of the setting.
    initial, final: int32 (num_words,), the model's weights.
    contributions: in order; events: the same, empty unless they were asked for.
    ended_at: seconds; unused: reviews of the stream that were not submitted by then.
    """

    setting: Setting
    accuracies: tuple[tuple[int, float], ...]
    histories: tuple[History, ...]
    tallies: tuple[Tally, ...]
    initial: npt.NDArray[np.int32]
    final: npt.NDArray[np.int32]
    contributions: tuple[Contribution, ...]
    events: tuple[Event, ...]
    ended_at: int
    unused: int
