"""The perceptron of SparsePerceptron.sol for runs of thousands of lessons.

`offchain.sum.perceptron` is the contract's twin and takes samples as bits; this one takes the list
of active features and computes the same, several times faster.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from offchain.sum.perceptron import WEIGHT_LIMIT
from offchain.sum.reviews import ReviewSet

LARGEST_WEIGHT = 1_000
"""Largest weight of a first model, in units of the learning rate, when nothing else is asked for.

How much a model yields to one lesson decides whether the incentive works: at 1,000 it behaves as
0xDeCA10B's simulation, whose rate has fallen to about a thousandth of the largest weight when data
comes in; at 100 most wrong labels are refunded, because a few lessons turn any prediction.
"""

LIMIT = WEIGHT_LIMIT
"""Weights that a lesson raises or lowers stay within -LIMIT..LIMIT, unless asked otherwise."""

Active = npt.NDArray[np.int32]


class Learner:
    """Label 1 where intercept + sum of the active features' weights is above 0, else label 0.

    weights: int32 (num_words,) within -limit..limit, in units of the learning rate; intercept in
    the same unit. A sample predicted wrong moves the weights of its active features by one, up
    for label 1 and down for label 0; what is at its limit stays. The intercept never changes.
    """

    def __init__(
        self, weights: npt.NDArray[np.int32], intercept: int = 0, limit: int = LIMIT
    ) -> None:
        if len(weights) and int(abs(weights).max()) > limit:
            raise ValueError(f"weights lie in -{limit}..{limit}, not {int(abs(weights).max())}")
        self.weights: npt.NDArray[np.int32] = weights.astype(np.int32)
        self.intercept = intercept
        self.limit = limit

    def score(self, active: Active) -> int:
        """What decides the label by its sign; `active` as ReviewSet.active gives it."""
        return self.intercept + int(np.add.reduce(self.weights.take(active)))

    def predict(self, active: Active) -> int:
        """The class of a sample, 0 or 1."""
        return int(self.score(active) > 0)

    def teach(self, active: Active, label: int) -> bool:
        """Move the weights towards `label`; whether any was at its limit and stayed."""
        moved = self.weights.take(active) + (1 if label else -1)
        saturated = bool(moved.size) and int(abs(moved).max()) > self.limit
        self.weights[active] = np.clip(moved, -self.limit, self.limit) if saturated else moved
        return saturated


def train(
    reviews: ReviewSet, seed: int, *, largest: int = LARGEST_WEIGHT, limit: int = LIMIT
) -> Learner:
    """A first model: scikit-learn's perceptron with a falling rate, as 0xDeCA10B trains its own.

    reviews: of both labels. largest: what the largest weight is scaled to, 1 to `limit`; rounding
    then makes the weights whole.
    """
    from sklearn.linear_model import SGDClassifier

    if not 1 <= largest <= limit:
        raise ValueError(f"the largest weight must lie in 1..{limit}, not {largest}")
    if len(np.unique(reviews.labels)) < 2:
        raise ValueError(f"a model needs reviews of both labels; {len(reviews)} have but one")
    fitted = SGDClassifier(
        loss="perceptron", penalty=None, learning_rate="optimal", tol=1e-3, random_state=seed
    ).fit(reviews.features.astype(np.float64), reviews.labels)
    scale = largest / float(abs(fitted.coef_).max())
    weights = np.rint(fitted.coef_[0] * scale).astype(np.int32)
    return Learner(weights, round(float(fitted.intercept_[0]) * scale), limit)


class Judge:
    """Measures accuracy on one held-out set, again and again."""

    def __init__(self, test: ReviewSet) -> None:
        # In the weights' own type, so that nothing is converted at every measurement.
        self._features = test.features.astype(np.int32)
        self._labels = test.labels == 1

    def accuracy(self, model: Learner) -> float:
        """Share of right labels, 0 to 1."""
        scores = self._features @ model.weights + model.intercept
        return float(((scores > 0) == self._labels).mean())
