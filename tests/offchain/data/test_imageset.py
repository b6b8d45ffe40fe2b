"""ImageSet: what it refuses, what its digest proves, and what a split keeps apart."""

import numpy as np
import pytest
import torch

from offchain.data.datasets import DataError, ImageSet, split


def make_set(counts: tuple[int, ...], channels: int = 1) -> ImageSet:
    """Class c has counts[c] samples, sorted by class; pixel values tell all samples apart."""
    labels = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    numbers = torch.arange(len(labels))
    images = torch.zeros(len(labels), channels, 2, 2, dtype=torch.uint8)
    images[:, 0, 0, 0] = (numbers % 256).to(torch.uint8)
    images[:, 0, 1, 1] = (numbers // 256).to(torch.uint8)
    return ImageSet(images, labels, tuple(f"class {c}" for c in range(len(counts))), "made")


def numbers_of(imageset: ImageSet) -> list[int]:
    return (imageset.images[:, 0, 0, 0].int() + 256 * imageset.images[:, 0, 1, 1].int()).tolist()


GOOD = {
    "images": torch.zeros(3, 1, 2, 2, dtype=torch.uint8),
    "labels": torch.tensor([0, 1, 1]),
    "classes": ("cat", "dog"),
    "name": "good",
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": torch.zeros(3, 1, 2, 2)}, "uint8, not torch.float32"),
        ({"images": torch.zeros(3, 2, 2, dtype=torch.uint8)}, r"not \(3, 2, 2\)"),
        ({"images": torch.zeros(3, 2, 2, 2, dtype=torch.uint8)}, "C 1 or 3"),
        ({"images": torch.zeros(0, 1, 2, 2, dtype=torch.uint8)}, "none empty"),
        ({"labels": torch.tensor([0, 1, 1], dtype=torch.int32)}, "int64, not torch.int32"),
        ({"labels": torch.tensor([0, 1])}, r"labels must be \(3,\)"),
        ({"labels": torch.tensor([0, 1, 2])}, "label 2 is out of range for 2 classes"),
        ({"labels": torch.tensor([0, 1, -1])}, r"found -1\.\.1"),
        ({"labels": torch.tensor([0, 1, 2**40])}, "found 0..1099511627776"),
        ({"classes": ()}, "not 0"),
        ({"classes": ("cat", "cat")}, "distinct"),
    ],
)
def test_a_malformed_set_is_refused_with_the_value_at_fault(change, message):
    with pytest.raises(DataError, match=message):
        ImageSet(**(GOOD | change))


def test_the_digest_changes_with_everything_but_the_name():
    good = ImageSet(**GOOD)
    brighter = GOOD["images"].clone()
    brighter[2, 0, 1, 1] = 1
    changes = [
        {"images": brighter},
        {"labels": torch.tensor([0, 1, 0])},
        {"classes": ("cat", "cow")},
        {"classes": ("cat", "dog", "cow")},
        {"images": GOOD["images"].reshape(3, 1, 4, 1)},
        {"images": GOOD["images"].reshape(3, 1, 1, 4)},
    ]
    digests = {good.digest(), *(ImageSet(**(GOOD | change)).digest() for change in changes)}
    assert len(digests) == 1 + len(changes)
    assert ImageSet(**(GOOD | {"name": "other"})).digest() == good.digest()


def test_the_digest_is_the_same_on_every_machine_and_for_every_memory_layout():
    imageset = ImageSet(**GOOD)
    known = "b20e040df3673fcaa55c8cfeb0833a53e11c019bd2e771ba15c0c286e6538e20"
    assert imageset.digest() == known
    rgb = make_set((3,), channels=3)
    strided = rgb.images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
    assert not strided.is_contiguous()
    assert ImageSet(strided, rgb.labels, rgb.classes, "strided").digest() == rgb.digest()


def test_a_subset_is_a_copy_in_the_order_asked_for():
    imageset = make_set((5, 5))
    part = imageset.subset([7, 2, 2])
    assert numbers_of(part) == [7, 2, 2]
    assert part.labels.tolist() == [1, 0, 0]
    part.images.zero_()
    assert numbers_of(imageset) == list(range(10))


@pytest.mark.parametrize("indices", [[10], [-1], [], [0.5], [True, False], [[1, 2]]])
def test_a_subset_refuses_what_is_no_list_of_valid_positions(indices):
    with pytest.raises(DataError, match=r"indices|index"):
        make_set((5, 5)).subset(indices)


@pytest.mark.parametrize("stratified", [True, False])
@pytest.mark.parametrize("parts", [1, 3, [200, 7, 90], [300]])
def test_parts_are_disjoint_of_the_sizes_asked_and_repeatable(parts, stratified):
    imageset = make_set((100, 150, 50))
    made = split(imageset, parts, seed=1, stratified=stratified)
    expected = [300 // parts] * parts if isinstance(parts, int) else parts
    assert [len(part) for part in made] == expected
    numbers = [n for part in made for n in numbers_of(part)]
    assert len(set(numbers)) == len(numbers) == sum(expected)
    again = split(imageset, parts, seed=1, stratified=stratified)
    assert [part.digest() for part in again] == [part.digest() for part in made]
    other = split(imageset, parts, seed=2, stratified=stratified)
    assert other[0].digest() != made[0].digest()


def test_uneven_parts_differ_by_at_most_one_and_use_all():
    assert sorted(len(part) for part in split(make_set((50, 53)), 4, seed=0)) == [25, 26, 26, 26]


def test_stratified_parts_have_the_class_shares_of_the_whole():
    counts = (400, 100, 250, 10, 240)
    imageset = make_set(counts)
    for seed in range(5):
        for part in split(imageset, [500, 100, 100, 20, 280], seed):
            quota = np.array(counts) * len(part) / 1000
            found = np.bincount(part.labels.numpy(), minlength=len(counts))
            assert np.abs(found - quota).max() <= 3, (seed, found, quota)


def test_equal_classes_are_dealt_evenly_to_one_sample():
    for part in split(make_set((60,) * 10), [100, 37, 200], seed=3):
        found = np.bincount(part.labels.numpy(), minlength=10)
        assert found.max() - found.min() <= 2


def test_the_order_within_a_part_is_random_not_by_class():
    labels = split(make_set((500, 500)), 1, seed=4)[0].labels.numpy()
    runs = 1 + int((np.diff(labels) != 0).sum())
    # 1,000 random coin-like labels have 501 runs, standard deviation 15.8.
    assert abs(runs - 501) < 5 * 15.8


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (0, "1 to 10 parts, not 0"),
        (11, "1 to 10 parts, not 11"),
        ([], "not \\[\\]"),
        ([5, 0], "1 or more"),
        ([6, 5], "need 11 samples, 10 are available"),
    ],
)
def test_impossible_splits_are_refused(parts, message):
    with pytest.raises(DataError, match=message):
        split(make_set((5, 5)), parts, seed=0)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="not -1"):
        split(make_set((5, 5)), 2, seed=-1)
