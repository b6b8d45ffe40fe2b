"""Classifiers that count features by class: the twins of FeatureCounts.sol and its heirs.

Batches are decided by floating-point scores where these leave no doubt, and exactly elsewhere.
"""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from offchain.sum import floating
from offchain.sum.classifier import Bits, Classifier, ClassifierError, Ints, from_words, to_words

Floats = NDArray[np.float64]

MAX_CLASSES = 8
MAX_SAMPLES = 0xFFFF
"""How many samples of a class are learnt; later ones are refused."""

_MAX_TOTAL = (1 << 48) - 1
_EPS = float(np.finfo(np.float64).eps)


class FeatureCounts(Classifier):
    """Counts, for each class, its samples and how many of them have each feature."""

    def __init__(self, feature_count: int, max_active: int, class_count: int) -> None:
        if not 2 <= class_count <= MAX_CLASSES:
            raise ClassifierError(f"{class_count} classes, must be 2 to {MAX_CLASSES}")
        self._blocks = 2 if class_count <= 2 else 4 if class_count <= 4 else 8
        self._per_word = 16 // self._blocks
        class_words = -(-class_count // 4)
        super().__init__(feature_count, max_active, class_count, self._per_word, class_words)
        self._counts = np.zeros((self._blocks, self._feature_words * self._per_word), np.int64)
        self._classes = np.zeros(4 * class_words, np.uint64)

    @property
    def counts(self) -> Ints:
        """In how many samples of each class each feature is active, (K, F)."""
        return self._counts[: self.class_count, : self.feature_count].copy()

    @property
    def samples(self) -> Ints:
        """How many samples of each class were learnt, (K,)."""
        return (self._classes[: self.class_count] & np.uint64(0xFFFF)).astype(np.int64)

    @property
    def totals(self) -> Ints:
        """The total of each class, (K,), below 2**48."""
        return (self._classes[: self.class_count] >> np.uint64(16)).astype(np.int64)

    def words(self) -> list[int]:
        lanes = self._counts.reshape(self._blocks, self._feature_words, self._per_word)
        return [
            *to_words(lanes.swapaxes(0, 1).astype("<u2")),
            *to_words(self._classes.astype("<u8")),
        ]

    def _load(self, words: list[int]) -> None:
        lanes = from_words(words[: self._feature_words], np.dtype("<u2")).astype(np.int64)
        lanes = lanes.reshape(self._feature_words, self._blocks, self._per_word).swapaxes(0, 1)
        self._counts = lanes.reshape(self._blocks, -1)
        self._classes = from_words(words[self._feature_words :], np.dtype("<u8"))

    def _teach(self, active: Ints, label: int, predicted: int) -> None:
        state = int(self._classes[label])
        samples, total = state & 0xFFFF, state >> 16
        if samples == MAX_SAMPLES:
            raise ClassifierError(f"class {label} has learnt {samples} samples and is full")
        total = min(total + self._growth(active, label), _MAX_TOTAL)
        self._classes[label] = total << 16 | samples + 1
        self._counts[label, active] = np.minimum(self._counts[label, active] + 1, 0xFFFF)

    @abstractmethod
    def _growth(self, active: Ints, label: int) -> int:
        """By how much a sample raises the total of its class."""

    def _choose_many(self, samples: Bits) -> Ints:
        scores, error = self._scores(samples.astype(np.float64))
        scores[:, self.samples == 0] = -np.inf
        labels = scores.argmax(axis=1)
        best = np.take_along_axis(scores, labels[:, None], axis=1)
        # The best itself is one of those that come close.
        close = np.count_nonzero(scores >= best - 2 * error[:, None], axis=1) > 1
        for row in np.flatnonzero(close):
            labels[row] = self._choose(np.flatnonzero(samples[row]))
        return np.asarray(labels, np.int64)

    @abstractmethod
    def _scores(self, samples: Floats) -> tuple[Floats, Floats]:
        """What grows with the preference for each class, (N, K), and a bound of its error, (N,).

        Of classes without samples it may be anything.
        """


class NearestCentroid(FeatureCounts):
    """Euclidean distance to the mean of each class; the total is the squared norm of the counts."""

    def _choose(self, active: Ints) -> int:
        label, best, best_square = 0, 0, 0
        sums = self._counts[:, active].sum(axis=1)
        for c, (n, total) in enumerate(
            zip(self.samples.tolist(), self.totals.tolist(), strict=True)
        ):
            value = 2 * n * int(sums[c]) - total
            if n and (best_square == 0 or value * best_square > best * n * n):
                label, best, best_square = c, value, n * n
        return label

    def _growth(self, active: Ints, label: int) -> int:
        return 2 * int(self._counts[label, active].sum()) + len(active)

    def _scores(self, samples: Floats) -> tuple[Floats, Floats]:
        # |c|**2 - |x - c|**2 + |x|**2 for centroid c. The sums are exact: below 2**32.
        n = np.maximum(self.samples, 1).astype(np.float64)
        dots = 2 * (samples @ self.counts.T.astype(np.float64)) / n
        norms = self.totals / n**2
        return dots - norms, 4 * _EPS * (dots + norms).max(axis=1)


class NaiveBayes(FeatureCounts):
    """Multinomial, Laplace smoothing; the total of a class is the sum of its counts."""

    def _choose(self, active: Ints) -> int:
        label, best = 0, 0
        # The product is cut only between such groups, as in the contract.
        groups = active // min(4, self._per_word)
        ends = np.flatnonzero(np.diff(groups, append=-1)).tolist()
        for c, (n, total) in enumerate(
            zip(self.samples.tolist(), self.totals.tolist(), strict=True)
        ):
            if n == 0:
                continue
            product, cut, start = n, 0, 0
            factors = (self._counts[c, active] + 1).tolist()
            for end in ends:
                for factor in factors[start : end + 1]:
                    product *= factor
                start = end + 1
                if product >> 192:
                    product >>= 64
                    cut += 64
            evidence = floating.power(total + self.feature_count, len(active))
            key = floating.quotient_key(floating.from_integer(product, cut), evidence)
            if key > best:
                label, best = c, key
        return label

    def _growth(self, active: Ints, label: int) -> int:
        return len(active)

    def _scores(self, samples: Floats) -> tuple[Floats, Floats]:
        # Log probabilities. No term is beyond 64, and a sum of F products errs by F roundings of
        # the sum of their sizes at most; two more for the logarithms.
        active = samples.sum(axis=1)
        evidence = np.log(self.totals + float(self.feature_count))
        scores = samples @ np.log(self.counts.T + 1.0) - active[:, None] * evidence
        scores += np.log(np.maximum(self.samples, 1))
        return scores, 2 * (self.feature_count + 2) * _EPS * 64 * (active + 1)
