"""The twin of contracts/sum/classifiers/SparsePerceptron.sol."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from offchain.sum.classifier import Bits, Classifier, ClassifierError, Ints, from_words, to_words


class SparsePerceptron(Classifier):
    """Two classes; weights (int8, saturating at -127 and 127) in units of the learning rate."""

    def __init__(self, feature_count: int, max_active: int) -> None:
        super().__init__(feature_count, max_active, 2, 32, 1)
        self._lanes = np.zeros(32 * self._feature_words, np.int8)
        self._intercept = 0

    @property
    def weights(self) -> NDArray[np.int8]:
        """The weights, (F,): a view, for reading and for setting a trained model."""
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
        return [*to_words(self._lanes), self._intercept % (1 << 256)]

    def _load(self, words: list[int]) -> None:
        last = words[-1]
        self.intercept = last - (1 << 256) if last >> 255 else last
        self._lanes = from_words(words[:-1], np.dtype(np.int8))

    def _choose(self, active: Ints) -> int:
        total = int(self._lanes[active].sum(dtype=np.int64))
        return int(self._intercept + total > 0)

    def _choose_many(self, samples: Bits) -> Ints:
        # Exact in float32: a sum is at most 65,536 * 128 = 2**23.
        sums = samples.astype(np.float32) @ self.weights.astype(np.float32)
        # sum > -intercept, which might not fit into 64 bits itself; no sum is beyond 2**24.
        threshold = min(max(-self._intercept, -(1 << 24)), 1 << 24)
        return (sums > threshold).astype(np.int64)

    def _teach(self, active: Ints, label: int, predicted: int) -> None:
        if predicted == label:
            return
        weights = self._lanes[active]
        weights = weights + (weights < 127) if label else weights - (weights > -127).view(np.int8)
        self._lanes[active] = weights
