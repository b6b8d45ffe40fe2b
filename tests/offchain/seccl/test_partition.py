"""Private parts: nobody shares an image, nobody is left with nothing, splits are what they say."""

import numpy as np
import pytest
import torch

from offchain.data.datasets import DataError, load_dataset
from offchain.seccl.partition import MIN_PART, partition


@pytest.fixture(scope="module")
def digits():
    """1,000 digits whose first pixels number them, so that each can be found again."""
    chosen = load_dataset("digits", limit=1000)
    chosen.images[:, 0, 0, 0] = torch.arange(1000) // 256
    chosen.images[:, 0, 0, 1] = torch.arange(1000) % 256
    return chosen


def numbers(part):
    first = part.images[:, 0, 0, :2].long()
    return (first[:, 0] * 256 + first[:, 1]).tolist()


def labels(part):
    return torch.cat([part.training.labels, part.validation.labels])


@pytest.mark.parametrize("spec", ["equal", "classes:2", "dirichlet:0.5"])
def test_every_image_belongs_to_one_participant_and_one_side(digits, spec):
    parts = partition(digits, 8, spec, seed=1)
    held = [n for part in parts for side in (part.training, part.validation) for n in numbers(side)]
    assert sorted(held) == list(range(1000))


@pytest.mark.parametrize("spec", ["equal", "classes:3", "dirichlet:1"])
def test_a_seed_fixes_the_parts(digits, spec):
    once, again, other = (partition(digits, 5, spec, seed=s) for s in (1, 1, 2))
    digests = [[p.training.digest() for p in parts] for parts in (once, again, other)]
    assert digests[0] == digests[1] != digests[2]


def test_equal_parts_are_equal_in_size_and_left_to_chance_by_class(digits):
    parts = partition(digits, 10, "equal", validation=0.25)
    assert {(len(p.training), len(p.validation)) for p in parts} == {(75, 25)}
    assert len({int((labels(p) == 0).sum()) for p in parts}) > 1


@pytest.mark.parametrize(("participants", "classes"), [(5, 2), (8, 3), (3, 10), (10, 1)])
def test_by_class_everyone_holds_that_many_classes(digits, participants, classes):
    parts = partition(digits, participants, f"classes:{classes}")
    assert {len(labels(p).unique()) for p in parts} == {classes}


def test_a_smaller_alpha_makes_parts_more_uneven(digits):
    def unevenness(alpha):
        counts = [torch.bincount(labels(p), minlength=10) for p in partition(digits, 5, alpha)]
        return float(torch.stack(counts).double().std(dim=0).mean())

    assert unevenness("dirichlet:0.2") > 2 * unevenness("dirichlet:10")


def test_validation_has_the_classes_of_its_own_part(digits):
    for part in partition(digits, 4, "dirichlet:1", validation=0.2):
        whole = torch.bincount(labels(part), minlength=10).numpy()
        kept = torch.bincount(part.validation.labels, minlength=10).numpy()
        assert np.abs(kept - 0.2 * whole).max() < 1.5


@pytest.mark.parametrize(
    ("participants", "spec", "validation", "said"),
    [
        (0, "equal", 0.2, "participants must be 1 or more, not 0"),
        (101, "equal", 0.2, "101 participants need 1010 images, 10 each; digits has 1000"),
        (4, "equal", 1.0, "above 0 and below 1, not 1.0"),
        (4, "even", 0.2, "not 'even'"),
        (4, "classes:", 0.2, "not 'classes:'"),
        (4, "classes:11", 0.2, "1 to 10 classes, not 11"),
        (4, "classes:2", 0.2, "give each 3 or more"),
        (4, "dirichlet:0", 0.2, "alpha must be above 0, at most 1000000, not 0.0"),
        (4, "dirichlet:nan", 0.2, "not 'dirichlet:nan'"),
        (80, "dirichlet:0.01", 0.2, "take a larger alpha or fewer participants"),
    ],
)
def test_what_cannot_be_split_is_said_in_a_line(digits, participants, spec, validation, said):
    with pytest.raises(DataError) as refused:
        partition(digits, participants, spec, validation=validation)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_smallest_part_has_both_sides(digits):
    parts = partition(digits.subset(range(2 * MIN_PART)), 2, "equal", validation=0.01)
    assert [(len(p.training), len(p.validation)) for p in parts] == [(9, 1)] * 2
