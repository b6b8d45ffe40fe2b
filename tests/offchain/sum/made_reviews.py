"""MadeSource-up reviews that a perceptron can learn: a third of the words leans to one label."""

import numpy as np
from scipy import sparse

from offchain.sum.reviews import ReviewSet


def make_reviews(count: int = 600, num_words: int = 60, seed: int = 0) -> ReviewSet:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    leaning = np.where(np.arange(num_words) % 3 == 0, 0.2, 0) * rng.choice([-1, 1], num_words)
    share = 0.3 + np.where(labels[:, None] == 1, leaning, -leaning)
    features = sparse.csr_array((rng.random((count, num_words)) < share).astype(np.uint8))
    words = tuple(f"word {i}" for i in range(num_words))
    return ReviewSet(features, labels.astype(np.uint8), words)
