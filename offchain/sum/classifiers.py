"""The classifiers of contracts/sum/classifiers, to the last bit, one sample at a time or many."""

from __future__ import annotations

from collections.abc import Callable

from offchain.sum.classifier import Bits, Classifier, ClassifierError
from offchain.sum.feature_counts import NaiveBayes, NearestCentroid
from offchain.sum.perceptron import SparsePerceptron

__all__ = [
    "CLASSIFIERS",
    "Bits",
    "Classifier",
    "ClassifierError",
    "NaiveBayes",
    "NearestCentroid",
    "SparsePerceptron",
]

CLASSIFIERS: dict[str, Callable[..., Classifier]] = {
    "SparsePerceptron": SparsePerceptron,
    "NearestCentroid": NearestCentroid,
    "NaiveBayes": NaiveBayes,
}
"""By the name of the contract."""
