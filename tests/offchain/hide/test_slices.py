"""The dial: who is freed is told by seeds and counts, and levels are nested."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from offchain.hide.errors import HideError
from offchain.hide.family import Secret, slices_of
from offchain.hide.slices import ORDERS, Slices, cumulative_counts, free_images

SECRET = Secret(bytes(32))


@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=5),
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
    st.sampled_from(ORDERS),
)
def test_slices_are_disjoint_and_hold_the_images_asked_for(sizes, shares, order):
    labels = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
    free = sorted(round(share * len(labels)) for share in shares)
    members = slices_of(labels, len(sizes), free, order, SECRET).members(labels)
    assert [int((members < k).sum()) for k in range(1, len(free) + 1)] == free


@given(st.integers(0, 40), st.integers(0, 40))
def test_a_larger_share_frees_every_image_that_a_smaller_one_does(one, other):
    labels = torch.arange(4).repeat(10)
    few, many = (
        slices_of(labels, 4, [n], "images", SECRET).members(labels) == 0
        for n in sorted((one, other))
    )
    assert bool((many | ~few).all())


def test_by_images_classes_keep_their_proportion_and_by_classes_one_follows_another():
    sizes = np.array([10, 20, 30])
    assert cumulative_counts(sizes, [6, 30], "images").tolist() == [[1, 2, 3], [5, 10, 15]]
    assert cumulative_counts(sizes, [6, 35], "classes").tolist() == [[0, 0, 6], [0, 5, 30]]


@pytest.mark.parametrize("order", ORDERS)
def test_the_dial_runs_from_all_masked_to_none_and_never_back(order):
    counts = [free_images(dial, 5000, order) for dial in np.linspace(0, 1, 101)]
    assert counts[0] == 0
    assert counts[-1] == 5000
    assert counts == sorted(counts)


def test_a_buyer_learns_no_seed_of_a_better_level():
    labels = torch.arange(2).repeat(20)
    slices = slices_of(labels, 2, [4, 10, 30], "images", SECRET)
    weak = slices.first(1)
    assert weak.seeds == slices.seeds[:1]
    assert len(set(slices.seeds)) == 3
    assert torch.equal(weak.members(labels) == 0, slices.members(labels) == 0)


def test_the_members_of_a_slice_never_change():
    # A cleaner sold today must free the same images in ten years: these are SHAKE-256's.
    labels = torch.arange(2).repeat(8)
    slices = Slices((bytes(range(16)),), np.array([[2, 3]]))
    assert (slices.members(labels) == 0).nonzero().flatten().tolist() == [1, 5, 8, 9, 10]


def test_a_slice_that_wants_more_than_there_is_says_so():
    slices = Slices((bytes(16),), np.array([[3, 1]]))
    with pytest.raises(HideError, match=r"slice 0 wants \[3, 1\] of \[2, 2\] images"):
        slices.members(torch.tensor([0, 0, 1, 1]))
