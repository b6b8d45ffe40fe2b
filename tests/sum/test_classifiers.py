"""The classifiers on chain and their Python twins, word for word, and what the contracts refuse."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from offchain.crypto.bitmap import to_bitmap
from offchain.sum.classifiers import CLASSIFIERS
from tests.kit.refusals import deployment_refusal, refusal, refused
from tests.kit.solidity import compile_contracts

LESSONS = "tests/sum/mocks/Lessons.sol"
BATCH = 20
NOBODY = "0x" + "00" * 20

# Name, and the arguments of both constructors: features, active ones, classes.
MODELS = [
    ("SparsePerceptron", (1000, 1000)),
    ("SparsePerceptron", (37, 37)),
    ("SparsePerceptron", (256, 120)),
    ("SparsePerceptron", (21, 20)),
    ("SparsePerceptron", (253, 253)),
    ("NearestCentroid", (300, 300, 2)),
    ("NearestCentroid", (101, 101, 3)),
    ("NearestCentroid", (40, 40, 8)),
    ("NaiveBayes", (300, 300, 2)),
    ("NaiveBayes", (101, 101, 3)),
    ("NaiveBayes", (40, 40, 8)),
]


@pytest.fixture(scope="module")
def trainer(project, deployer):
    """Gives many lessons in a transaction."""
    text = (Path(project.path) / LESSONS).read_text()
    return deployer.deploy(compile_contracts({"Lessons": LESSONS}, {LESSONS: text})["Lessons"])


@pytest.fixture
def rng(request):
    """Random inputs that depend on the test's own parameters and nothing else."""
    return np.random.default_rng(list(request.node.name.encode()))


@pytest.fixture
def deploy(project, deployer):
    """A classifier on chain, which `deployer` owns."""
    return lambda name, args: getattr(project, name).deploy(deployer, *args, sender=deployer)


def bitmap(sample):
    return to_bitmap(np.flatnonzero(sample).tolist(), len(sample))


def draw(rng, count, features, most):
    """Samples as unevenly filled as reviews, one feature and all that is allowed among them."""
    samples = np.zeros((count, features), np.uint8)
    weights = 1 / (np.arange(features) + 20)
    sizes = np.minimum(rng.geometric(0.05, size=count), most)
    sizes[:2] = 1, most
    for sample, size in zip(samples, sizes, strict=True):
        sample[rng.choice(features, size, replace=False, p=weights / weights.sum())] = 1
    return samples


def teach(trainer, contract, twin, samples, labels, sender):
    """Teaches both the same, and checks that they predict the same, and end as the same words."""
    for start in range(0, len(samples), BATCH):
        batch, told = samples[start : start + BATCH], labels[start : start + BATCH]
        args = contract, [bitmap(sample) for sample in batch], told.tolist()
        (event,) = trainer.teach(*args, sender=sender).decode_logs(trainer.Taught)
        expected = twin.learn_many(batch, told).tolist()
        assert list(event.asked) == list(event.told) == expected
    assert list(contract.exportWords(0, twin.word_count)) == twin.words()


@pytest.mark.parametrize(("name", "args"), MODELS)
@pytest.mark.parametrize("start", ["empty", "trained", "any words"])
def test_twins(deploy, deployer, trainer, rng, name, args, start):
    """From any start, the same lessons give the same predictions and the same words."""
    contract, twin = deploy(name, args), CLASSIFIERS[name](*args)
    features, most, classes = args[0], args[1], contract.classCount()
    assert contract.wordCount() == twin.word_count
    if start == "trained":
        # Far enough for weights to saturate, and for products to be rounded.
        for label in range(classes):
            twin.learn_many(draw(rng, 100, features, most), [label] * 100)
    elif start == "any words":
        words = [int.from_bytes(rng.bytes(32), "big") for _ in range(twin.word_count)]
        if name == "SparsePerceptron":
            # An intercept that weights can outweigh, and weights at both ends of their range.
            words = [word >> 4 for word in words]
            words[-1] = int(rng.integers(-1000, 1000)) % 2**256
            ends = rng.choice(["7ff", "7fe", "800", "801"], 21)
            words[0] = int("".join(ends), 16)
        twin.initialise(0, words)
    words = twin.words()
    if start != "empty":
        for first in range(0, len(words), 20):
            contract.initialise(first, words[first : first + 20], sender=deployer)
    contract.open(trainer, sender=deployer)
    samples = draw(rng, 2 * BATCH, features, most)
    teach(trainer, contract, twin, samples, rng.integers(classes, size=len(samples)), deployer)


def test_saturated_weights_and_full_classes(deploy, deployer, trainer, rng):
    """At the limits of weights, counts and classes, the twins do the same."""
    samples = draw(rng, 2 * BATCH, 40, 40)
    for name, args in [("NearestCentroid", (40, 40, 2)), ("NaiveBayes", (40, 40, 2))]:
        contract, twin = deploy(name, args), CLASSIFIERS[name](*args)
        full = 65_535 - BATCH
        totals = full << 16 | full | ((1 << 48) - 3 << 16 | full) << 64
        words = [int.from_bytes(b"\xff\xfd\xff\xff" * 8, "big")] * 5 + [totals]
        twin.initialise(0, words)
        contract.initialise(0, words, sender=deployer)
        contract.open(trainer, sender=deployer)
        teach(trainer, contract, twin, samples, np.arange(len(samples)) % 2, deployer)
        assert twin.samples.tolist() == [65_535, 65_535]
        lesson = contract, [bitmap(samples[0])], [1]
        assert refusal(trainer.teach, *lesson, sender=deployer) == refused("ClassFull", 1, 65_535)
    contract, twin = deploy("SparsePerceptron", (40, 40)), CLASSIFIERS["SparsePerceptron"](40, 40)
    # Whatever the weights, class 0 is predicted: all lessons raise weights.
    twin.intercept = -100_000
    twin.weights[:] = 2_040
    contract.initialise(0, twin.words(), sender=deployer)
    contract.open(trainer, sender=deployer)
    teach(trainer, contract, twin, samples, np.ones(len(samples), int), deployer)
    assert twin.weights.max() == 2_047


def test_a_lesson_is_told(deploy, deployer):
    """The event names the label and whether the model changed."""
    contract = deploy("SparsePerceptron", (10, 10))
    contract.open(deployer, sender=deployer)
    for label, changed in [(1, True), (1, False), (0, True), (0, False)]:
        receipt = contract.learn([5], label, sender=deployer)
        (event,) = receipt.decode_logs(contract.Learnt)
        assert (event.label, event.changed) == (label, changed)


def test_initialisation_is_the_owners_and_ends(deploy, deployer, stranger):
    """Only the owner sets words, only before opening; opening happens once and names somebody."""
    contract = deploy("SparsePerceptron", (100, 100))
    not_owner = refused("NotOwner", stranger, deployer)
    assert refusal(contract.initialise, 0, [1], sender=stranger) == not_owner
    assert refusal(contract.open, stranger, sender=stranger) == not_owner
    assert refusal(contract.open, NOBODY, sender=deployer) == refused("NoTrainer")
    assert refusal(contract.learn, [1], 0, sender=deployer) == refused("NotOpen")
    (event,) = contract.initialise(1, [1, 2], sender=deployer).decode_logs(contract.Initialised)
    assert (event.first, event.count) == (1, 2)
    (event,) = contract.open(stranger, sender=deployer).decode_logs(contract.Opened)
    assert event.trainer == contract.trainer() == stranger
    assert refusal(contract.initialise, 0, [1], sender=deployer) == refused("AlreadyOpen")
    assert refusal(contract.open, deployer, sender=deployer) == refused("AlreadyOpen")
    assert contract.exportWords(0, 6) == [0, 1, 2, 0, 0, 0]


def test_words_out_of_range(deploy, deployer):
    """Words that do not exist are neither set nor exported, however large the numbers."""
    contract = deploy("SparsePerceptron", (100, 100))
    for first, count in [(6, 1), (0, 7), (7, 0), (2**256 - 1, 2)]:
        expected = refused("WordsOutOfRange", first, count, 6)
        assert refusal(contract.initialise, first, [0] * count, sender=deployer) == expected
        assert refusal(contract.exportWords, first, count, sender=deployer) == expected
    assert contract.exportWords(6, 0) == []
    for word, fits in [(2**252 - 1, True), (2**252, False), (2**255, False)]:
        expected = None if fits else refused("SpareBitsSet", 4, word)
        assert refusal(contract.initialise, 4, [word], sender=deployer) == expected
    for intercept, fits in [(2**63 - 1, True), (2**63, False), (-(2**63), True)]:
        word = intercept % 2**256
        expected = None if fits else refused("SafeCastOverflowedIntDowncast", 64, intercept)
        assert refusal(contract.initialise, 5, [word], sender=deployer) == expected


def test_bad_samples(deploy, deployer, stranger):
    """A sample of another length, with features that do not exist or too many, or a wrong label."""
    contract = deploy("SparsePerceptron", (300, 3))
    contract.open(deployer, sender=deployer)
    cases = [
        ([7], "BitmapLength", 1, 2),
        ([7, 0, 0], "BitmapLength", 3, 2),
        ([], "BitmapLength", 0, 2),
        ([0, 1 << 44], "FeatureOutOfRange", 300),
        ([0, 1 << 255], "FeatureOutOfRange", 300),
        ([0, 0], "NoFeatures"),
        ([7, 1], "TooManyFeatures", 4, 3),
    ]
    for sample, *expected in cases:
        assert refusal(contract.predict, sample, sender=stranger) == refused(*expected)
        assert refusal(contract.learn, sample, 0, sender=deployer) == refused(*expected)
    last = [3, 1 << 43]
    assert refusal(contract.predict, last, sender=stranger) is None
    assert refusal(contract.learn, last, 1, sender=deployer) is None
    out_of_range = refused("LabelOutOfRange", 2, 2)
    assert refusal(contract.learn, last, 2, sender=deployer) == out_of_range
    not_trainer = refused("NotTrainer", stranger, deployer)
    assert refusal(contract.learn, last, 1, sender=stranger) == not_trainer


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        ((0, 0), ("FeatureCountOutOfRange", 0, 65_536)),
        ((65_537, 1), ("FeatureCountOutOfRange", 65_537, 65_536)),
        ((2**256 - 1, 1), ("FeatureCountOutOfRange", 2**256 - 1, 65_536)),
        ((10, 0), ("MaxActiveOutOfRange", 0, 10)),
        ((10, 11), ("MaxActiveOutOfRange", 11, 10)),
        ((10_753, 513), ("TooManyWordsTouched", 513, 512)),
        ((10_752, 10_752), None),
        ((65_536, 512), None),
    ],
)
def test_sizes(project, deployer, args, expected):
    """A classifier whose calls could not be paid for is not deployed."""
    refusal = deployment_refusal(project.SparsePerceptron, deployer, *args, sender=deployer)
    assert refusal == (refused(*expected) if expected else None)
