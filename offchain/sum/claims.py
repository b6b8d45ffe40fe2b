"""Which open contributions the model agrees with, kept up to date while the model learns.

Whether a contribution can be refunded or reported depends on the model as it stands, so that each
lesson may turn any of them. Asking the model about all of them at every turn is what makes a plain
simulation slow; here a lesson shifts all scores at once, by how many features each contribution
shares with the sample taught.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from offchain.sum.learner import Active, Learner
from offchain.sum.rules import StakeTerms

NOTHING, AS_GOOD, AS_BAD = range(3)
"""What stands announced of a contribution."""

_FIRST_PLACES = 256


class Turnable(NamedTuple):
    """An open contribution whose verdict lessons could turn: what an attacker looks for.

    served: whether the verdict that turning it would serve stands announced. lessons: how many of
    its sample, with the other label than the model gives it, would turn it, at least. number: of
    the contribution.
    """

    served: bool
    lessons: int
    number: int


class OpenClaims:
    """The contributions that can be refunded or reported now, each in a place of its own."""

    def __init__(self, model: Learner, agents: int, terms: StakeTerms) -> None:
        self._model = model
        self._terms = terms
        self._place_of: dict[int, tuple[int, Active]] = {}
        self._free = list(range(_FIRST_PLACES))[::-1]
        # A feature's places lie side by side, so that a lesson adds up whole rows; 16 bits,
        # because a sum of bytes would be widened first, which takes longer than the sum.
        self._features = np.zeros((len(model.weights), _FIRST_PLACES), dtype=np.int16)
        self._numbers = np.zeros(_FIRST_PLACES, dtype=np.int64)
        self._authors = np.zeros(_FIRST_PLACES, dtype=np.int16)
        self._labels = np.zeros(_FIRST_PLACES, dtype=np.bool_)
        self._scores = np.zeros(_FIRST_PLACES, dtype=np.int32)
        self._sizes = np.zeros(_FIRST_PLACES, dtype=np.int32)
        self._added_at = np.zeros(_FIRST_PLACES, dtype=np.int64)
        self._announced = np.zeros(_FIRST_PLACES, dtype=np.int8)
        self._announced_at = np.zeros(_FIRST_PLACES, dtype=np.int64)
        self._vouched = np.zeros(_FIRST_PLACES, dtype=np.bool_)
        # What agent a may still act on; False for all in a free place.
        self._pending = np.zeros((agents, _FIRST_PLACES), dtype=np.bool_)

    def __len__(self) -> int:
        return len(self._place_of)

    def __contains__(self, number: int) -> bool:
        return number in self._place_of

    def add(self, number: int, author: int, label: int, active: Active, added_at: int) -> None:
        """From now on contribution `number` can be refunded or reported."""
        if not self._free:
            self._grow()
        place = self._free.pop()
        self._place_of[number] = place, active
        self._features[active, place] = 1
        self._numbers[place] = number
        self._authors[place] = author
        self._labels[place] = label
        self._scores[place] = self._model.score(active)
        self._sizes[place] = len(active)
        self._added_at[place] = added_at
        self._announced[place] = NOTHING
        self._vouched[place] = False
        self._pending[:, place] = True

    def remove(self, number: int) -> None:
        """Forget contribution `number`, which is settled."""
        place, active = self._place_of.pop(number)
        self._features[active, place] = 0
        self._pending[:, place] = False
        self._free.append(place)

    def announce(self, number: int, what: int, now: int) -> None:
        """AS_GOOD or AS_BAD stands announced of contribution `number`, instead of what did."""
        place = self._place_of[number][0]
        self._announced[place] = what
        self._announced_at[place] = now
        self._vouched[place] |= what == AS_GOOD

    def object(self, number: int) -> None:
        """Nothing stands announced of contribution `number` any more."""
        self._announced[self._place_of[number][0]] = NOTHING

    def announced(self, number: int) -> tuple[int, int]:
        """What stands announced of contribution `number`, and since when."""
        place = self._place_of[number][0]
        return int(self._announced[place]), int(self._announced_at[place])

    def reported(self, number: int, reporter: int) -> None:
        """The reporter had its share of contribution `number`, and gets no other."""
        self._pending[reporter, self._place_of[number][0]] = False

    def learnt(self, active: Active, label: int, saturated: bool) -> None:
        """Follow the model, which was taught a sample."""
        if not self._place_of:
            return
        if saturated:  # Some weights did not move, so that shared features do not tell.
            for place, features in self._place_of.values():
                self._scores[place] = self._model.score(features)
            return
        shared = np.add.reduce(self._features.take(active, axis=0), axis=0, dtype=np.int16)
        if label:
            self._scores += shared
        else:
            self._scores -= shared

    def actionable(self, agent: int, now: int) -> list[tuple[int, bool]]:
        """(number, own), in order of contribution: what the agent can do something about.

        Its own that the model agrees with, and those of others that it disagrees with, but for what
        has to wait.
        """
        agreed = (self._scores > 0) == self._labels
        own = self._authors == agent
        acts = (agreed == own) & self._pending[agent]
        if self._terms.verdict is not None:
            alone_until = self._added_at + self._terms.refund_wait_s + self._terms.verdict.author_s
            same = self._announced == np.where(own, AS_GOOD, AS_BAD)
            awaited = self._announced_at + self._terms.verdict.wait_s <= now
            free = own | (self._announced == AS_GOOD) | (alone_until <= now)
            acts &= np.where(same, awaited, free)
        places = np.flatnonzero(acts)
        if not len(places):
            return []
        return sorted(zip(self._numbers[places].tolist(), own[places].tolist(), strict=True))

    def first_turned(self, agent: int, now: int) -> int | None:
        """The agent's oldest that it announced as good, and that the model now disagrees with; or
        that stands announced as bad although the model agrees, since for half of the wait nobody
        came in a quiet moment to object."""
        agreed = (self._scores > 0) == self._labels
        denied = ~agreed
        if self._terms.verdict is not None and self._terms.verdict.upholding:
            halfway = self._announced_at + self._terms.verdict.wait_s // 2 <= now
            denied |= (self._announced == AS_BAD) & halfway
        turned = denied & self._vouched & (self._authors == agent) & self._pending[agent]
        numbers = self._numbers[np.flatnonzero(turned)]
        return int(numbers.min()) if len(numbers) else None

    def soonest(self, agent: int, own: bool) -> Turnable | None:
        """What the agent could turn: of its own what the model denies, of others what it confirms.

        First what would serve a verdict that stands announced, then what takes the fewest lessons,
        then the oldest; None where there is nothing.
        """
        mine = self._authors == agent
        agreed = (self._scores > 0) == self._labels
        # Whatever is open for anybody: a place that is free is so for nobody.
        opened = self._pending.any(axis=0)
        places = np.flatnonzero(opened & ((mine & ~agreed) if own else (~mine & agreed)))
        if not len(places):
            return None
        scores = self._scores[places]
        # A score above 0 must come to 0 or less, another one to 1 or more.
        margins = np.where(scores > 0, scores, 1 - scores)
        lessons = -(-margins // np.maximum(self._sizes[places], 1))
        served = self._announced[places] == (AS_GOOD if own else AS_BAD)
        best = np.lexsort((self._numbers[places], lessons, ~served))[0]
        return Turnable(bool(served[best]), int(lessons[best]), int(self._numbers[places[best]]))

    def _grow(self) -> None:
        places = len(self._numbers)
        self._free = list(range(places, 2 * places))[::-1]
        self._features = _doubled(self._features)
        self._numbers = _doubled(self._numbers)
        self._authors = _doubled(self._authors)
        self._labels = _doubled(self._labels)
        self._scores = _doubled(self._scores)
        self._sizes = _doubled(self._sizes)
        self._added_at = _doubled(self._added_at)
        self._announced = _doubled(self._announced)
        self._announced_at = _doubled(self._announced_at)
        self._vouched = _doubled(self._vouched)
        self._pending = _doubled(self._pending)


def _doubled(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """With as many zeros again along the last axis."""
    return np.concatenate([values, np.zeros_like(values)], axis=-1)
