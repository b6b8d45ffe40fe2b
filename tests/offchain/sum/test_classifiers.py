"""The classifiers compute what their names promise: closed forms, exact fractions, sklearn."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import numpy as np
import pytest
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import NearestCentroid as SklearnCentroid

from offchain.sum import floating
from offchain.sum.classifiers import (
    CLASSIFIERS,
    ClassifierError,
    NaiveBayes,
    NearestCentroid,
    SparsePerceptron,
)


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def reviews(rng, count, features, density=0.2):
    """Samples whose features are as unevenly frequent as words."""
    frequency = density * 2 / (1 + np.arange(features) / features * 3)
    samples = (rng.random((count, features)) < frequency).astype(np.uint8)
    samples[~samples.any(axis=1), 0] = 1
    return samples


def make(name, features, classes=2):
    args = (features, features) if name == "SparsePerceptron" else (features, features, classes)
    return CLASSIFIERS[name](*args)


def taught(name, rng, features=50, classes=2, lessons=200):
    model = make(name, features, classes)
    classes = model.class_count
    model.learn_many(reviews(rng, lessons, features), rng.integers(classes, size=lessons))
    return model


def test_perceptron_converges_on_separable_data(rng):
    """No more mistakes than (R / margin)**2 (Novikoff), and none in the end."""
    teacher = rng.choice([-3, -1, 1, 3], size=40)
    samples = reviews(rng, 600, 40)
    margins = samples.astype(int) @ teacher
    samples, margins = samples[margins != 0], margins[margins != 0]
    labels = (margins > 0).astype(int)
    model = SparsePerceptron(40, 40)
    mistakes = 0
    for _ in range(200):
        wrong = int((model.learn_many(samples, labels) != labels).sum())
        mistakes += wrong
        if wrong == 0:
            break
    assert wrong == 0
    assert np.array_equal(model.predict_many(samples), labels)
    assert np.abs(model.weights.astype(int)).max() < 2_047, "saturated: the bound would not hold"
    radius = samples.sum(axis=1).max()
    assert mistakes <= radius * (teacher**2).sum() / np.abs(margins).min() ** 2


def test_perceptron_changes_only_the_weights_of_what_it_got_wrong():
    model = SparsePerceptron(3, 3)
    both = np.array([1, 1, 0], np.uint8)
    assert model.learn(both, 1) == 0, "a sum of 0 is class 0"
    assert model.weights.tolist() == [1, 1, 0]
    assert model.learn(both, 1) == 1
    assert model.learn(np.array([0, 1, 1], np.uint8), 0) == 1
    assert model.weights.tolist() == [1, 0, -1]
    assert model.intercept == 0


def test_weights_stop_at_their_limits():
    """At 2,047 and -2,047; -2,048, which only initial words hold, stays or rises."""
    model = SparsePerceptron(3, 3)
    every = np.ones(3, np.uint8)
    model.weights[:] = [2047, 2046, -2048]
    model.intercept = -10_000
    model.learn(every, 1)
    assert model.weights.tolist() == [2047, 2047, -2047]
    model.weights[:] = [-2047, -2046, -2048]
    model.intercept = 10_000
    model.learn(every, 0)
    assert model.weights.tolist() == [-2047, -2047, -2048]


@pytest.mark.parametrize("classes", [2, 3, 8])
def test_nearest_centroid_is_sklearns(rng, classes):
    """The same class, but where two centroids are equally far, or nearly so for floats."""
    samples, labels = reviews(rng, 400, 30), rng.integers(classes, size=400)
    model = NearestCentroid(30, 30, classes)
    model.learn_many(samples, labels)
    theirs = SklearnCentroid().fit(samples.astype(float), labels)
    assert np.allclose(model.counts / model.samples[:, None], theirs.centroids_)
    assert np.array_equal(model.totals, (model.counts**2).sum(axis=1))
    tests = reviews(rng, 500, 30)
    distances = np.linalg.norm(tests[:, None] - theirs.centroids_, axis=2)
    two = np.sort(distances, axis=1)[:, :2]
    clear = two[:, 1] - two[:, 0] > 1e-9
    assert clear.mean() > 0.99
    ours = model.predict_many(tests)
    assert np.array_equal(ours[clear], theirs.predict(tests.astype(float))[clear])


@pytest.mark.parametrize("classes", [2, 3, 8])
def test_naive_bayes_is_sklearns(rng, classes):
    """The same class, but where two classes are equally likely, or nearly so for floats."""
    samples, labels = reviews(rng, 400, 30), rng.integers(classes, size=400)
    model = NaiveBayes(30, 30, classes)
    model.learn_many(samples, labels)
    theirs = MultinomialNB(alpha=1.0).fit(samples, labels)
    assert np.array_equal(model.counts, theirs.feature_count_)
    assert np.array_equal(model.totals, model.counts.sum(axis=1))
    tests = reviews(rng, 500, 30)
    two = np.sort(theirs.predict_joint_log_proba(tests), axis=1)[:, -2:]
    clear = two[:, 1] - two[:, 0] > 1e-9
    assert clear.mean() > 0.99
    assert np.array_equal(model.predict_many(tests)[clear], theirs.predict(tests)[clear])


@pytest.mark.parametrize("classes", [2, 3, 8])
def test_naive_bayes_is_exact(rng, classes):
    """The class that exact fractions prefer, the first of equals, on long samples too."""
    model = taught("NaiveBayes", rng, features=300, classes=classes, lessons=60)
    for sample in reviews(rng, 60, 300, density=0.4):
        likelihoods = [
            int(n)
            * Fraction(prod(int(s) + 1 for s in counts[sample > 0]))
            / Fraction(int(total) + 300) ** int(sample.sum())
            for n, counts, total in zip(model.samples, model.counts, model.totals, strict=True)
        ]
        assert model.predict(sample) == likelihoods.index(max(likelihoods))


def test_probabilities_are_as_precise_as_stated(rng):
    """To one part in 2**110, with as many features and as great counts as there can be."""
    counts = rng.integers(1, 65_537, size=4096).tolist()
    product, cut = 65_535, 0
    for i in range(0, 4096, 4):
        product *= prod(counts[i : i + 4])
        if product >> 192:
            product, cut = product >> 64, cut + 64
    total = 4096 * 65_535 + 4096
    key = floating.quotient_key(floating.from_integer(product, cut), floating.power(total, 4096))
    computed = Fraction(key % (1 << 128)) * Fraction(2) ** ((key >> 128) - (1 << 64))
    exact = Fraction(65_535 * prod(counts), total**4096)
    assert abs(computed / exact - 1) < Fraction(1, 1 << 110)


@pytest.mark.parametrize(
    ("name", "classes"),
    [("SparsePerceptron", 2), ("NearestCentroid", 2), ("NearestCentroid", 5), ("NaiveBayes", 5)],
)
def test_many_are_predicted_as_one_by_one(rng, name, classes):
    """Also by young models, in which classes tie, and by words that no training would give."""
    model = make(name, 20, classes)
    samples = reviews(rng, 60, 20)
    samples[0] = np.arange(20) == 7
    samples[1] = 1

    def check():
        one_by_one = [model.predict(sample) for sample in samples]
        assert model.predict_many(samples).tolist() == one_by_one
        assert model.predict_many(samples.astype(bool)).tolist() == one_by_one
        return set(one_by_one)

    assert check() == {0}
    seen = set()
    for sample in reviews(rng, 30, 20):
        model.learn(sample, int(rng.integers(classes)))
        seen |= check()
    assert len(seen) == classes
    words = [int.from_bytes(rng.bytes(32), "big") for _ in range(model.word_count)]
    if name == "SparsePerceptron":
        words = [word >> 4 for word in words[:-1]] + [2**63 - 1]
    model.initialise(0, words)
    check()


def test_ties_go_to_the_first_class(rng):
    """Where two classes learnt the same samples, however many, the second is never predicted."""
    samples = reviews(rng, 20, 30)
    for name in ("NearestCentroid", "NaiveBayes"):
        model = make(name, 30, 3)
        for label in (2, 1):
            model.learn_many(samples, [label] * len(samples))
        assert set(model.predict_many(reviews(rng, 100, 30)).tolist()) == {1}


@pytest.mark.parametrize("name", ["NearestCentroid", "NaiveBayes"])
def test_full_class_learns_no_more(name):
    """After 65,535 samples of a class another one is refused; the other class still learns."""
    model = make(name, 8)
    words = model.words()
    # Feature 0 of class 0 in all samples but one; the class has all but one of its samples.
    words[0] = 65_533
    words[1] = (65_533 if name == "NaiveBayes" else 65_533**2) << 16 | 65_534
    model.initialise(0, words)
    sample = np.eye(8, dtype=np.uint8)[0]
    model.learn(sample, 0)
    assert (model.samples.tolist(), model.counts[0, 0]) == ([65_535, 0], 65_534)
    assert model.totals[0] == (65_534 if name == "NaiveBayes" else 65_534**2)
    before = model.words()
    with pytest.raises(ClassifierError, match="class 0 has learnt 65535 samples and is full"):
        model.learn(sample, 0)
    assert model.words() == before
    model.learn(sample, 1)
    assert model.samples.tolist() == [65_535, 1]


@pytest.mark.parametrize("name", list(CLASSIFIERS))
def test_models_move_by_their_words(rng, name):
    """What is exported in pieces and initialised in others is the same model."""
    model, copy = taught(name, rng, features=300), make(name, 300)
    if name == "SparsePerceptron":
        model.intercept = -7
    words = model.words()
    assert len(words) == model.word_count == copy.word_count
    for first in range(0, len(words), 7):
        copy.initialise(first, words[first : first + 7])
    assert copy.words() == words
    samples = reviews(rng, 50, 300)
    assert np.array_equal(copy.predict_many(samples), model.predict_many(samples))
    assert (
        copy.learn_many(samples, [1] * 50).tolist() == model.learn_many(samples, [1] * 50).tolist()
    )
    assert copy.words() == model.words()


def test_words_are_laid_out_as_stated():
    perceptron = SparsePerceptron(40, 40)
    perceptron.weights[[1, 20, 22]] = [-1, -2048, 5]
    perceptron.intercept = -2
    assert perceptron.words() == [0x800 << 240 | 0xFFF << 12, 5 << 12, 2**256 - 2]
    centroid = NearestCentroid(5, 5, 3)
    centroid.learn(np.array([0, 1, 0, 0, 1], np.uint8), 2)
    block = 2 * 64
    assert centroid.words() == [1 << block + 16, 1 << block, 2 << block + 16 | 1 << block]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.predict(np.zeros(9, np.uint8)), "9 features given, 10 needed"),
        (lambda m: m.predict(np.zeros(10)), "float64"),
        (lambda m: m.predict(np.full(10, 2, np.uint8)), "value 2 is neither"),
        (lambda m: m.predict(np.zeros((1, 10), np.uint8)), r"shape \(1, 10\)"),
        (lambda m: m.predict(np.ones(10, np.uint8)), "10 features are active, at most 4"),
        (lambda m: m.predict(np.zeros(10, np.uint8)), "no feature is active"),
        (lambda m: m.learn(np.zeros(10, np.uint8), 0), "no feature is active"),
        (lambda m: m.predict_many(np.eye(10, dtype=np.uint8) * (np.arange(10) > 0)), "no feature"),
        (lambda m: m.predict_many(np.ones((2, 10), np.uint8)), "10 features are active"),
        (lambda m: m.predict_many(np.zeros(10, np.uint8)), "shape"),
        (lambda m: m.learn(np.zeros(10, np.uint8), 2), "label 2 out of range"),
        (lambda m: m.learn(np.zeros(10, np.uint8), -1), "label -1 out of range"),
        (lambda m: m.learn_many(np.zeros((2, 10), np.uint8), [0]), "2 samples but 1 labels"),
        (lambda m: m.initialise(1, [0, 0]), "words 1 to 3 of a model of 2"),
        (lambda m: m.initialise(0, [0, 1 << 64]), "does not fit into 64 bits"),
        (lambda m: m.initialise(0, [1 << 252, 7]), "word 0 .* highest four bits"),
        (lambda m: SparsePerceptron(0, 1), "0 features"),
        (lambda m: SparsePerceptron(70_000, 1), "70000 features"),
        (lambda m: SparsePerceptron(10, 11), "11 active"),
        (lambda m: SparsePerceptron(30_000, 600), "600 words, at most 512"),
        (lambda m: NaiveBayes(10, 10, 1), "1 classes"),
        (lambda m: NaiveBayes(10, 10, 9), "9 classes"),
    ],
)
def test_bad_input_is_named(call, message):
    model = SparsePerceptron(10, 4)
    with pytest.raises(ClassifierError, match=message):
        call(model)
    assert model.words() == [0, 0], "nothing changed"


def test_a_sample_is_made_of_its_active_features():
    model = SparsePerceptron(5, 3)
    assert model.sample([4, 0, 2]).tolist() == [1, 0, 1, 0, 1]


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ([5], r"feature 5 out of range \[0, 5\)"),
        ([-1], r"feature -1 out of range \[0, 5\)"),
        ([1, 3, 1], "feature 1 is named twice"),
        ([0, 1, 2, 3], "4 features are active, at most 3 may be"),
        ([], "no feature is active, at least one must be"),
    ],
)
def test_features_that_make_no_sample_are_named(features, message):
    with pytest.raises(ClassifierError, match=message):
        SparsePerceptron(5, 3).sample(features)


def test_learning_many_tells_its_progress():
    told = []
    SparsePerceptron(4, 4).learn_many(
        np.ones((3, 4), np.uint8), [0, 1, 0], lambda *at: told.append(at)
    )
    assert told == [(1, 3), (2, 3), (3, 3)]
