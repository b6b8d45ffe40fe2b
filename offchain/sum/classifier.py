"""What all classifiers have in common: the twin of contracts/sum/classifiers/Classifier.sol.

A sample is its features as 0 or 1: uint8 or bool, shape (F,); many are (N, F). Labels are integers
from 0 on. `words` and `initialise` move a model to and from a contract.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from offchain.errors import SoukError

if TYPE_CHECKING:  # imageset imports torch, which nothing here needs
    from offchain.data.imageset import Progress

Bits = NDArray[np.uint8] | NDArray[np.bool_]
Ints = NDArray[np.int64]

MAX_FEATURES = 65_536
MAX_TOUCHED = 512

# Rows of a batch times features: 32 MiB as float64.
_BATCH_CELLS = 1 << 22


class ClassifierError(SoukError):
    """A sample, a label or a lesson that the contract would refuse."""


class Classifier(ABC):
    """What all have in common.

    feature_count: F, at most 65,536; max_active: how many features of a sample may be active;
    word_count: how many words of 256 bits the model has.
    """

    def __init__(
        self, feature_count: int, max_active: int, class_count: int, per_word: int, others: int
    ) -> None:
        feature_words = -(-feature_count // per_word)
        if not 0 < feature_count <= MAX_FEATURES:
            raise ClassifierError(f"{feature_count} features, must be 1 to {MAX_FEATURES}")
        if not 0 < max_active <= feature_count:
            raise ClassifierError(f"{max_active} active features, must be 1 to {feature_count}")
        if min(max_active, feature_words) > MAX_TOUCHED:
            touched = min(max_active, feature_words)
            raise ClassifierError(f"a sample may touch {touched} words, at most {MAX_TOUCHED}")
        self.feature_count = feature_count
        self.max_active = max_active
        self.class_count = class_count
        self.word_count = feature_words + others
        self._feature_words = feature_words

    def sample(self, features: Sequence[int]) -> NDArray[np.uint8]:
        """The sample, uint8 (F,), whose active features are these, in any order.

        Raises ClassifierError for a feature that the model has not, or that is named twice, and
        for too many.
        """
        bits = np.zeros(self.feature_count, np.uint8)
        for feature in features:
            if not 0 <= feature < self.feature_count:
                raise ClassifierError(f"feature {feature} out of range [0, {self.feature_count})")
            if bits[feature]:
                raise ClassifierError(f"feature {feature} is named twice")
            bits[feature] = 1
        self._check(bits[None])
        return bits

    def predict(self, sample: Bits) -> int:
        """The class of a sample, 0 or more, as the contract computes it."""
        return self._choose(self._active(sample))

    def learn(self, sample: Bits, label: int) -> int:
        """Trains with one sample; what was predicted before."""
        if not 0 <= label < self.class_count:
            raise ClassifierError(f"label {label} out of range [0, {self.class_count})")
        active = self._active(sample)
        predicted = self._choose(active)
        self._teach(active, label, predicted)
        return predicted

    def predict_many(self, samples: Bits) -> Ints:
        """The classes (N,) of samples (N, F), the same as one by one."""
        if samples.ndim != 2:
            raise ClassifierError(f"samples have shape {samples.shape}, must be (N, F)")
        labels = np.empty(len(samples), np.int64)
        rows = max(1, _BATCH_CELLS // self.feature_count)
        for start in range(0, len(samples), rows):
            batch = samples[start : start + rows]
            self._check(batch)
            labels[start : start + rows] = self._choose_many(batch)
        return labels

    def learn_many(
        self, samples: Bits, labels: Sequence[int] | Ints, progress: Progress | None = None
    ) -> Ints:
        """Trains with samples (N, F) in their order; what was predicted before each, (N,)."""
        if len(samples) != len(labels):
            raise ClassifierError(f"{len(samples)} samples but {len(labels)} labels")
        predicted = np.empty(len(samples), np.int64)
        for i, (sample, label) in enumerate(zip(samples, labels, strict=True)):
            predicted[i] = self.learn(sample, int(label))
            if progress is not None:
                progress(i + 1, len(samples))
        return predicted

    def initialise(self, first: int, words: Sequence[int]) -> None:
        """Sets words of the model from word `first` on."""
        if not 0 <= first <= first + len(words) <= self.word_count:
            raise ClassifierError(
                f"words {first} to {first + len(words)} of a model of {self.word_count}"
            )
        every = self.words()
        every[first : first + len(words)] = words
        self._load(every)

    @abstractmethod
    def words(self) -> list[int]:
        """All words of the model, as the contract keeps them."""

    @abstractmethod
    def _load(self, words: list[int]) -> None: ...

    @abstractmethod
    def _choose(self, active: Ints) -> int:
        """The class of a sample from the indices of its active features, ascending."""

    @abstractmethod
    def _choose_many(self, samples: Bits) -> Ints: ...

    @abstractmethod
    def _teach(self, active: Ints, label: int, predicted: int) -> None: ...

    def _active(self, sample: Bits) -> Ints:
        if sample.ndim != 1:
            raise ClassifierError(f"the sample has shape {sample.shape}, must be (F,)")
        self._check(sample[None])
        return np.flatnonzero(sample)

    def _check(self, samples: Bits) -> None:
        if samples.shape[1] != self.feature_count:
            raise ClassifierError(f"{samples.shape[1]} features given, {self.feature_count} needed")
        if samples.dtype not in (np.uint8, np.bool_):
            raise ClassifierError(f"features are {samples.dtype}, must be uint8 or bool")
        if samples.size and samples.max() > 1:
            raise ClassifierError(f"feature value {samples.max()} is neither 0 nor 1")
        active = np.count_nonzero(samples, axis=1)
        if not active.all():
            raise ClassifierError("no feature is active, at least one must be")
        most = int(active.max(initial=0))
        if most > self.max_active:
            raise ClassifierError(f"{most} features are active, at most {self.max_active} may be")


def to_words(lanes: NDArray[np.generic]) -> list[int]:
    """Words of 32 bytes, the first lane in the lowest bits."""
    data = lanes.tobytes()
    return [int.from_bytes(data[i : i + 32], "little") for i in range(0, len(data), 32)]


def from_words(words: Sequence[int], dtype: np.dtype) -> NDArray:  # type: ignore[type-arg]
    """The array, one-dimensional of `dtype`, that `to_words` made words of."""
    return np.frombuffer(bytearray(b"".join(w.to_bytes(32, "little") for w in words)), dtype)
