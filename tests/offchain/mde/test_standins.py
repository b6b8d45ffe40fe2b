"""Extracted trees and compressed students: what they stand for, and what a candidate changes."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import nn

from offchain.mde.compression import CompressionSettings, compression
from offchain.mde.errors import FeatureMismatch, MdeError, NotDifferentiable, NotFinite
from offchain.mde.extraction import ExtractionSettings, extraction
from offchain.mde.samples import Samples, Task
from offchain.mde.students import Distilled, Pruned, Quantised
from offchain.mde.trees import tree_values
from tests.offchain.mde.small import drawn

SMALL = {"points": 500, "leaves": 12}


@pytest.fixture(scope="module")
def boosted(task):
    x, y = task.train.inputs.numpy(), task.train.labels.numpy()
    return HistGradientBoostingClassifier(max_iter=15, min_samples_leaf=5).fit(x, y)


@pytest.fixture(scope="module")
def trees(task, boosted):
    return extraction(boosted, task, ExtractionSettings(**SMALL))


def test_boosted_trees_are_extracted_with_stated_fidelity(task, boosted, trees):
    said = trees.proba(task.validation.inputs).argmax(1)
    truth = boosted.predict(task.validation.inputs.numpy())
    assert trees.diagnostics["agreement"] == pytest.approx((said == truth).mean())
    assert trees.diagnostics["agreement"] > 0.8
    assert trees.diagnostics["leaves"] <= 12


def test_a_trees_score_is_what_the_sample_changes_in_its_leaf(task, trees):
    candidate = drawn(20, 3)
    (one,) = trees.trees
    validation = task.validation
    where = one.tree.leaf_of(tree_values(validation.inputs))
    own = one.tree.leaf_of(tree_values(task.train.inputs))
    sizes = np.bincount(task.validation_folds(8))
    folds = task.validation_folds(8).numpy()
    found = trees.fold_scores(candidate) @ (sizes / sizes.sum())
    for i, leaf in enumerate(one.tree.leaf_of(tree_values(candidate.inputs))):
        m = (own == leaf).sum() + 1
        after = one.proba.copy()
        after[leaf] = (m * after[leaf] + np.eye(3)[candidate.labels[i]]) / (m + 1)
        labels = validation.labels.numpy()
        gain = np.log(after[where, labels] / one.proba[where, labels])
        expected = sum(gain[folds == b].mean() * sizes[b] for b in range(8)) / sizes.sum()
        assert found[i] == pytest.approx(expected, abs=1e-12)


def test_right_labels_score_above_wrong_ones_whatever_the_oracle(task, model, boosted):
    right = drawn(60, 3)
    wrong = Samples(right.inputs, (right.labels + 1) % 3)
    oracles = [
        extraction(boosted, task, ExtractionSettings(**SMALL)),
        extraction(model, task, ExtractionSettings(trees=3, **SMALL)),
        extraction(
            lambda x: np.asarray(boosted.predict_proba(x)), task, ExtractionSettings(**SMALL)
        ),
        compression(boosted, task, CompressionSettings(Distilled(steps=150))),
        compression(model, task, CompressionSettings(Pruned(0.3), steps=3)),
        compression(model, task, CompressionSettings(Quantised(), linearised=True)),
    ]
    for oracle in oracles:
        good, bad = oracle.report(right), oracle.report(wrong)
        # A model that fits well gains little from more of the same: what counts is the difference.
        assert bad.total < min(0, good.total) - 2 * good.total_error, oracle.method
        assert good.diagnostics["agreement"] > 0.7


def test_extraction_depends_on_its_seed_alone(task, boosted, trees):
    again = extraction(boosted, task, ExtractionSettings(**SMALL))
    other = extraction(boosted, task, ExtractionSettings(seed=1, **SMALL))
    candidate = drawn(40, 3)
    assert np.array_equal(again.fold_scores(candidate), trees.fold_scores(candidate))
    assert not np.array_equal(other.fold_scores(candidate), trees.fold_scores(candidate))


def test_a_tree_of_pixels_compares_whole_numbers_and_goes_as_scikit_learn_does():
    rng = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (90, 1, 4, 4), generator=rng, dtype=torch.uint8)
    labels = (pixels[:, 0, 1, 1] > 100).long() + (pixels[:, 0, 2, 2] > 200).long()
    both = Samples(pixels, labels)
    task = Task(both, both, 3)

    def truth(x):
        return np.eye(3)[(x[:, 5] > 100 / 255).astype(int) + (x[:, 10] > 200 / 255).astype(int)]

    found = extraction(truth, task, ExtractionSettings(points=2000))
    (one,) = found.trees
    assert np.array_equal(one.tree.threshold, np.floor(one.tree.threshold))
    assert found.diagnostics["agreement"] == 1


def test_a_sample_on_the_threshold_goes_left(trees):
    (one,) = trees.trees
    root = np.zeros((2, 8), dtype=np.float32)
    at = one.tree.feature[0]
    root[0, at] = one.tree.threshold[0]
    root[1, at] = np.nextafter(one.tree.threshold[0], np.float32(np.inf))
    leaves = one.tree.leaf_of(root)
    under = {int(n) for n in _leaves_under(one.tree, one.tree.left[0])}
    assert leaves[0] in under
    assert leaves[1] not in under


def _leaves_under(tree, node):
    if tree.feature[node] < 0:
        return [tree.left[node]]
    return [*_leaves_under(tree, tree.left[node]), *_leaves_under(tree, tree.right[node])]


def test_few_step_scores_are_those_of_retraining_one_by_one(task, model):
    settings = CompressionSettings(Quantised(), steps=2, rate=0.2, batch=8, folds=2)
    oracle = compression(model, task, settings)
    candidate = drawn(5, 3)
    found = oracle.fold_scores(candidate)
    student = settings.student.student(model, task)

    def losses(extra):
        from offchain.data.seeds import generator

        copy = nn.Linear(8, 3)
        copy.load_state_dict(student.state_dict())
        rng = generator(settings.seed, "mde compression")
        for _ in range(2):
            own = task.train.subset(rng.integers(120, size=8))
            both = own if extra is None else own.joined(extra)
            loss = nn.functional.cross_entropy(copy(both.inputs), both.labels)
            loss = loss + task.l2 / 2 * sum(p.square().sum() for p in copy.parameters())
            slopes = torch.autograd.grad(loss, list(copy.parameters()))
            with torch.no_grad():
                for p, slope in zip(copy.parameters(), slopes, strict=True):
                    p -= 0.2 * slope
        folds = task.validation_folds(2)
        each = nn.functional.cross_entropy(
            copy(task.validation.inputs), task.validation.labels, reduction="none"
        )
        return np.array([each[folds == b].mean().item() for b in range(2)])

    expected = [losses(None) - losses(candidate.subset([i])) for i in range(5)]
    assert found == pytest.approx(np.array(expected), abs=2e-6)
    grouped = oracle.group_scores(candidate, [[0, 1, 2], [4]])
    assert grouped[0] == pytest.approx(losses(None) - losses(candidate.subset([0, 1, 2])), abs=2e-6)
    assert grouped[1] == pytest.approx(expected[4], abs=2e-6)


def test_the_linearised_score_is_the_limit_of_one_small_step(task, model):
    candidate = drawn(40, 3)
    step = CompressionSettings(Quantised(), rate=0.05)
    one = compression(model, task, step).report(candidate).scores
    limit = CompressionSettings(Quantised(), rate=0.05, linearised=True)
    linearised = compression(model, task, limit).report(candidate).scores
    assert spearmanr(one, linearised).statistic > 0.95


def test_students_are_small_in_the_way_they_say(task):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 3))
    weights = torch.cat(
        [p.flatten() for p in Pruned(0.8).student(network, task).parameters() if p.dim() > 1]
    )
    assert (weights == 0).float().mean() == pytest.approx(0.8, abs=0.01)
    for weight in Quantised(4).student(network, task).parameters():
        if weight.dim() > 1:
            assert max(len(row.unique()) for row in weight) <= 15
    exact = Quantised(16).student(network, task)
    assert torch.allclose(exact(task.train.inputs), network(task.train.inputs), atol=1e-3)
    student = Distilled(hidden=(5,)).student(network, task)
    assert sum(p.numel() for p in student.parameters()) == 8 * 5 + 5 + 5 * 3 + 3


class Odd:
    def __init__(self, answer):
        self.answer = answer

    def predict_proba(self, x):
        return self.answer(len(x))


@pytest.mark.parametrize(
    ("error", "words", "model"),
    [
        (FeatureMismatch, "the model gives", Odd(lambda n: np.ones((n, 2)) / 2)),
        (NotFinite, "no probabilities", Odd(lambda n: np.full((n, 3), np.nan))),
        (NotFinite, "no probabilities", Odd(lambda n: np.full((n, 3), -2.0))),
        (MdeError, "no predict_proba", 7),
    ],
)
def test_a_black_box_that_answers_nonsense_is_refused(task, error, words, model):
    with pytest.raises(error, match=words):
        extraction(model, task, ExtractionSettings(**SMALL))


def test_a_black_box_that_never_saw_a_class_gives_it_probability_zero(task):
    two = task.train.subset([i for i in range(120) if i % 3 < 2])
    model = HistGradientBoostingClassifier(max_iter=3).fit(two.inputs.numpy(), two.labels.numpy())
    oracle = extraction(model, task, ExtractionSettings(**SMALL))
    assert oracle.proba(task.validation.inputs)[:, 2].max() < 0.2


def test_pruning_needs_weights_and_settings_their_bounds(task, boosted):
    with pytest.raises(NotDifferentiable, match="distil a student"):
        compression(boosted, task, CompressionSettings(Pruned()))
    for make in (
        lambda: Pruned(1.0),
        lambda: Quantised(1),
        lambda: Distilled(temperature=0),
        lambda: Distilled(hidden=(0,)),
        lambda: CompressionSettings(steps=0),
        lambda: CompressionSettings(rate=float("nan")),
        lambda: CompressionSettings(steps=2, linearised=True),
        lambda: ExtractionSettings(leaves=1),
        lambda: ExtractionSettings(swap=1.5),
    ):
        with pytest.raises(MdeError):
            make()
