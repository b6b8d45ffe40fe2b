"""Which open contributions the model agrees with, kept up to date while the model learns.

Whether a contribution can be refunded or reported depends on the model as it stands, so that each
lesson may turn any of them. Asking the model about all of them at every turn is what makes a plain
simulation slow; here a lesson shifts all scores at once, by how many features each contribution
shares with the sample taught.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from offchain.sum.learner import Active, Learner

_FIRST_PLACES = 256


class OpenClaims:
    """The contributions that can be refunded or reported now, each in a place of its own."""

    def __init__(self, model: Learner, agents: int) -> None:
        self._model = model
        self._place_of: dict[int, tuple[int, Active]] = {}
        self._free = list(range(_FIRST_PLACES))[::-1]
        # A feature's places lie side by side, so that a lesson adds up whole rows; 16 bits,
        # because a sum of bytes would be widened first, which takes longer than the sum.
        self._features = np.zeros((len(model.weights), _FIRST_PLACES), dtype=np.int16)
        self._numbers = np.zeros(_FIRST_PLACES, dtype=np.int64)
        self._authors = np.zeros(_FIRST_PLACES, dtype=np.int16)
        self._labels = np.zeros(_FIRST_PLACES, dtype=np.bool_)
        self._scores = np.zeros(_FIRST_PLACES, dtype=np.int32)
        # What agent a may still act on; False for all in a free place.
        self._pending = np.zeros((agents, _FIRST_PLACES), dtype=np.bool_)

    def __len__(self) -> int:
        return len(self._place_of)

    def add(self, number: int, author: int, label: int, active: Active) -> None:
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
        self._pending[:, place] = True

    def remove(self, number: int) -> None:
        """Forget contribution `number`, which is settled."""
        place, active = self._place_of.pop(number)
        self._features[active, place] = 0
        self._pending[:, place] = False
        self._free.append(place)

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

    def actionable(self, agent: int) -> list[tuple[int, bool]]:
        """(number, own), in order of contribution: what the agent can have refunded or report.

        Its own that the model agrees with, and those of others that it disagrees with.
        """
        agreed = (self._scores > 0) == self._labels
        own = self._authors == agent
        places = np.flatnonzero((agreed == own) & self._pending[agent])
        if not len(places):
            return []
        return sorted(zip(self._numbers[places].tolist(), own[places].tolist(), strict=True))

    def _grow(self) -> None:
        places = len(self._numbers)
        self._free = list(range(places, 2 * places))[::-1]
        self._features = _doubled(self._features)
        self._numbers = _doubled(self._numbers)
        self._authors = _doubled(self._authors)
        self._labels = _doubled(self._labels)
        self._scores = _doubled(self._scores)
        self._pending = _doubled(self._pending)


def _doubled(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """With as many zeros again along the last axis."""
    return np.concatenate([values, np.zeros_like(values)], axis=-1)
