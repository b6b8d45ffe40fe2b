"""What a shared model is taught with in the measurement, and what it has learnt before.

Two kinds of samples of 1,000 binary features: `review`, a real review of that many active features,
typical in how many words of a model it touches; `spread`, evenly spaced, which touches the most.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from offchain.sum.classifiers import CLASSIFIERS, Classifier
from offchain.sum.perceptron import WEIGHTS_PER_WORD
from offchain.sum.reviews import ReviewSet, load_reviews, split

FEATURES = 1_000
ACTIVE = (20, 60, 120)
KINDS = ("review", "spread")
MAX_ACTIVE = 500
SPLIT_SEED = 0

PER_WORD = {"SparsePerceptron": WEIGHTS_PER_WORD, "NearestCentroid": 8, "NaiveBayes": 8}
"""By classifier: features that share a word of the model, with two classes."""


def sizes(classifier: str) -> tuple[int, ...]:
    """What the contract and its twin are made with."""
    return (FEATURES, MAX_ACTIVE) + (() if classifier == "SparsePerceptron" else (2,))


def sample(kind: str, active: int) -> list[int]:
    """Indices of the active features, ascending; always the same."""
    if kind == "spread":
        return [i * FEATURES // active for i in range(active)]
    reviews = _reviews()
    long = np.flatnonzero(np.diff(reviews.features.indptr) == active)
    # How far a review is from the median of each way of packing; the first of the nearest.
    away = np.zeros(len(long))
    for per_word in set(PER_WORD.values()):
        touched = np.array([_touched(reviews.active(n), per_word) for n in long])
        away += abs(touched - np.median(touched))
    return [int(i) for i in reviews.active(int(long[away.argmin()]))]


def touched_words(classifier: str, indices: list[int]) -> int:
    """How many words of the model these features lie in."""
    return _touched(np.array(indices), PER_WORD[classifier])


def bitmap(indices: list[int]) -> list[int]:
    """The words of a sample, as the contracts take it."""
    words = [0] * -(-FEATURES // 256)
    for i in indices:
        words[i >> 8] |= 1 << (i & 255)
    return words


@cache
def trained(classifier: str) -> Classifier:
    """A model that has learnt the 8 % of reviews that the paper's first models learn."""
    initial = split(_reviews(), SPLIT_SEED).initial
    sizes = (
        (FEATURES, MAX_ACTIVE) if classifier == "SparsePerceptron" else (FEATURES, MAX_ACTIVE, 2)
    )
    model = CLASSIFIERS[classifier](*sizes)
    model.learn_many(initial.dense(), initial.labels.astype(np.int64))
    return model


@cache
def _reviews() -> ReviewSet:
    return load_reviews(FEATURES)


def _touched(indices: NDArray[np.integer], per_word: int) -> int:
    return len(np.unique(indices // per_word))
