"""Duplicates, what the owner has, wrong labels, other data: found, and what they do to a total."""

import numpy as np
import pytest
import torch

from offchain.mde.errors import (
    EmptySet,
    FeatureMismatch,
    MdeError,
    NotFinite,
    UnknownLabel,
)
from offchain.mde.influence import influence
from offchain.mde.samples import Samples, Task
from offchain.mde.setlevel import SetReference, SetSettings
from tests.offchain.mde.small import drawn, fitted, linear, small_task


@pytest.fixture(scope="module")
def task():
    return small_task()


@pytest.fixture(scope="module")
def oracle(task):
    return influence(linear(fitted(task)), task)


def nudged(samples, by, seed=5):
    step = torch.randn(samples.inputs.shape, generator=torch.Generator().manual_seed(seed))
    step = by * step / step.norm(dim=1, keepdim=True)
    return Samples(samples.inputs + step, samples.labels)


def test_what_the_owner_has_adds_nothing_exact_or_nudged(task, oracle):
    for by in (0.0, 0.05):
        report = oracle.report(nudged(task.train, by))
        assert report.findings.redundant.all()
        assert report.total == 0
        assert np.abs(report.scores).max() > 0


def test_fresh_data_is_not_taken_for_a_copy_or_a_stranger(oracle):
    counts = oracle.report(drawn(300, 7)).findings.counts()
    assert counts["redundant"] + counts["repeated"] + counts["contradicting"] <= 3
    assert counts["out_of_task"] <= 6


def test_copies_within_the_candidate_count_once_and_nudged_copies_no_more(oracle):
    once = drawn(30, 8)
    total = oracle.report(once).total
    twice = oracle.report(once.joined(once))
    assert twice.findings.repeated.sum() == 30
    assert twice.total == pytest.approx(total, rel=1e-6)
    assert oracle.report(once.joined(nudged(once, 0.05))).total <= total
    # Shuffled, the total is the same.
    order = np.random.default_rng(0).permutation(60)
    assert oracle.report(once.joined(once).subset(order)).total == pytest.approx(total, rel=1e-6)


def test_the_owners_samples_under_other_labels_are_no_copies(task, oracle):
    other = Samples(task.train.inputs, (task.train.labels + 1) % 3)
    report = oracle.report(other)
    assert report.findings.contradicting.all()
    assert not report.findings.redundant.any()
    assert report.findings.mislabelled.mean() > 0.7
    assert report.total < 0


def test_wrong_labels_are_suspected_and_right_ones_are_not(oracle):
    right = drawn(150, 9)
    wrong = Samples(right.inputs, (right.labels + 1) % 3)
    assert oracle.report(right).findings.mislabelled.mean() < 0.1
    assert oracle.report(wrong).findings.mislabelled.mean() > 0.7


def test_strangers_are_paid_for_nothing_but_harm(oracle):
    strange = Samples(drawn(40, 10).inputs + 30, torch.arange(40) % 3)
    report = oracle.report(strange)
    assert report.findings.out_of_task.all()
    assert (report.contributions <= 0).all()
    assert report.total < 0


def test_near_is_measured_by_the_owners_own_neighbours(task):
    said = np.full((len(task.validation), 3), 1 / 3)
    scaled = Task(
        Samples(task.train.inputs * 1000, task.train.labels),
        Samples(task.validation.inputs * 1000, task.validation.labels),
        3,
    )
    probed = np.full((120, 3), 1 / 3)
    for by, found in ((0.05, True), (2.0, False)):
        plain = SetReference.of(task, said).findings(nudged(task.train, by), probed)
        large = SetReference.of(scaled, said).findings(nudged(scaled.train, 1000 * by), probed)
        assert plain.redundant.mean() == (1 if found else pytest.approx(0, abs=0.1))
        assert np.array_equal(plain.redundant, large.redundant)


def test_an_embedding_finds_copies_that_inputs_hide(task):
    said = np.full((len(task.validation), 3), 1 / 3)
    moved = Samples(task.train.inputs.clone(), task.train.labels)
    moved.inputs[:, 0] += 3  # a value that the embedding does not look at
    probed = np.full((120, 3), 1 / 3)
    by_inputs = SetReference.of(task, said).findings(moved, probed)
    by_rest = SetReference.of(task, said, embed=lambda x: x[:, 1:]).findings(moved, probed)
    assert not by_inputs.redundant.any()
    assert by_rest.redundant.all()


def test_projected_to_few_dimensions_copies_are_still_found():
    task = small_task(width=300)
    said, probed = np.full((90, 3), 1 / 3), np.full((120, 3), 1 / 3)
    reference = SetReference.of(task, said, SetSettings(dims=32))
    assert reference.points.shape == (120, 32)
    assert reference.findings(nudged(task.train, 0.1), probed).redundant.all()
    assert not reference.findings(drawn(120, 7, width=300), probed).redundant.any()


def test_negative_zero_is_zero():
    two = Samples(torch.tensor([[0.0, 1.0], [-0.0, 1.0]]), torch.tensor([1, 1]))
    assert len(set(two.hashes())) == 1


def refused(error, words, act):
    with pytest.raises(error, match=words) as caught:
        act()
    assert "\n" not in str(caught.value)


def test_candidates_that_do_not_fit_are_each_refused_by_name(task, oracle):
    x, y = torch.zeros(2, 8), torch.zeros(2, dtype=torch.int64)
    refused(EmptySet, "0", lambda: Samples(x[:0], y[:0]))
    refused(FeatureMismatch, "float64", lambda: Samples(x.double(), y))
    refused(FeatureMismatch, "labels are int64", lambda: Samples(x, y.int()))
    refused(FeatureMismatch, "labels are int64", lambda: Samples(x, y[:1]))
    refused(UnknownLabel, "-1", lambda: Samples(x, y - 1))
    refused(
        NotFinite,
        "feature 3 of sample 1 is nan",
        lambda: Samples(torch.where(torch.arange(16).view(2, 8) == 11, torch.nan, x), y),
    )
    refused(FeatureMismatch, r"\(7,\)", lambda: oracle.report(Samples(x[:, 1:], y)))
    refused(
        FeatureMismatch,
        "images",
        lambda: oracle.report(Samples(torch.zeros(2, 1, 2, 4, dtype=torch.uint8), y)),
    )
    refused(
        UnknownLabel, "label 3 is unknown: the task has 3", lambda: oracle.report(Samples(x, y + 3))
    )


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("2 classes or more", {"classes": 1}),
        ("l2 must be", {"l2": -1.0}),
        ("l2 must be", {"l2": float("nan")}),
        ("a loss is one of", {"loss": "hinge"}),
        ("label 2 is unknown", {"classes": 2}),
        ("validation needs 2", {"validation": drawn(1, 2)}),
        ("samples are features", {"validation": drawn(9, 2, width=7)}),
    ],
)
def test_tasks_that_do_not_fit_together_are_refused(words, change):
    whole = {"train": drawn(9, 1), "validation": drawn(9, 2), "classes": 3, **change}
    refused(MdeError, words, lambda: Task(**whole))


def test_settings_out_of_bounds_are_refused():
    for change in ({"near": 0}, {"near": 2}, {"far": 0.5}, {"far": float("inf")}, {"dims": 0}):
        refused(MdeError, "must", lambda change=change: SetSettings(**change))
    same = Samples(torch.ones(9, 8), torch.arange(9) % 3)
    refused(
        MdeError,
        "all training samples are the same",
        lambda: SetReference.of(Task(same, drawn(9, 2), 3), np.full((9, 3), 1 / 3)),
    )
