"""The twin of contracts/sum/classifiers/SparsePerceptron.sol."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from offchain.sum.classifier import Bits, Classifier, ClassifierError, Ints

WEIGHTS_PER_WORD = 21
"""Weights of 12 bits in a word of 256, of which the highest four stay 0."""

WEIGHT_LIMIT = 2_047
"""No lesson raises a weight above this, or lowers it below minus this."""

_WEIGHT_BITS = 12


class SparsePerceptron(Classifier):
    """Two classes; weights (int16, -2,048 to 2,047) in units of the learning rate.

    Lessons saturate at -2,047 and 2,047.
    """

    def __init__(self, feature_count: int, max_active: int) -> None:
        super().__init__(feature_count, max_active, 2, WEIGHTS_PER_WORD, 1)
        self._lanes = np.zeros(WEIGHTS_PER_WORD * self._feature_words, np.int16)
        self._intercept = 0

    @property
    def weights(self) -> NDArray[np.int16]:
        """The weights, (F,): a view, for reading and for setting a model to -2,048..2,047."""
        return self._lanes[: self.feature_count]

    @property
    def intercept(self) -> int:
        """What is added to the sum of weights: 64 bits, signed; learning does not change it."""
        return self._intercept

    @intercept.setter
    def intercept(self, value: int) -> None:
        if not -(1 << 63) <= value < 1 << 63:
            raise ClassifierError(f"intercept {value} does not fit into 64 bits")
        self._intercept = value

    def words(self) -> list[int]:
        return [*_to_words(self._lanes), self._intercept % (1 << 256)]

    def _load(self, words: list[int]) -> None:
        last = words[-1]
        lanes = _from_words(words[:-1])
        self.intercept = last - (1 << 256) if last >> 255 else last
        self._lanes = lanes

    def _choose(self, active: Ints) -> int:
        total = int(self._lanes[active].sum(dtype=np.int64))
        return int(self._intercept + total > 0)

    def _choose_many(self, samples: Bits) -> Ints:
        # Exact in float64: a sum is at most 65,536 * 2,048 = 2**27.
        sums = samples.astype(np.float64) @ self.weights.astype(np.float64)
        # sum > -intercept, which might not fit into 64 bits itself; no sum is beyond 2**28.
        threshold = min(max(-self._intercept, -(1 << 28)), 1 << 28)
        return (sums > threshold).astype(np.int64)

    def _teach(self, active: Ints, label: int, predicted: int) -> None:
        if predicted == label:
            return
        step = 1 if label else -1
        free = active[self._lanes[active] * step < WEIGHT_LIMIT]
        self._lanes[free] += step


def _to_words(lanes: NDArray[np.int16]) -> list[int]:
    """Words of 21 lanes in two's complement of 12 bits, the first lane in the lowest bits."""
    rows = (lanes % (1 << _WEIGHT_BITS)).reshape(-1, WEIGHTS_PER_WORD).tolist()
    return [sum(lane << _WEIGHT_BITS * k for k, lane in enumerate(row)) for row in rows]


def _from_words(words: Sequence[int]) -> NDArray[np.int16]:
    """The int16 weights that `_to_words` made words of. Raises ClassifierError."""
    for i, word in enumerate(words):
        if word >> _WEIGHT_BITS * WEIGHTS_PER_WORD:
            raise ClassifierError(f"word {i} is {word:#x}, whose highest four bits must be 0")
    sign, mask = 1 << _WEIGHT_BITS - 1, (1 << _WEIGHT_BITS) - 1
    shifts = range(0, _WEIGHT_BITS * WEIGHTS_PER_WORD, _WEIGHT_BITS)
    return np.array([((w >> s & mask) ^ sign) - sign for w in words for s in shifts], np.int16)
