"""A family from data to cleaners: levels hold on another network, and a stopped search goes on."""

import numpy as np
import pytest
import torch
from safetensors.torch import load

from offchain.hide.cleaner import apply
from offchain.hide.errors import HideError, LevelError
from offchain.hide.family import Secret
from offchain.hide.family_file import encode_family
from offchain.hide.judging import with_held_out, with_test_set
from offchain.hide.making import Plan, make_family
from offchain.hide.masks import MaskSettings
from offchain.hide.training import TrainingSettings
from offchain.runs.finished import Finished
from tests.offchain.hide.small import digits, made_up, made_up_family

PLAN = Plan(
    (0.35, 0.65),
    0.08,
    MaskSettings(patch=7, steps=40),
    TrainingSettings(epochs=3, batch=64),
    network="plain",
    held_out="small-resnet",
    order="classes",
)
SECRET = Secret(bytes(32))


@pytest.fixture(scope="module")
def split():
    return with_test_set(*digits())


@pytest.fixture(scope="module")
def kept_and_made(split, tmp_path_factory):
    path = tmp_path_factory.mktemp("kept")
    return path, make_family(split, PLAN, SECRET, kept=Finished(path, 1))


def test_levels_rise_and_hold_on_another_network_and_seed(kept_and_made):
    _, made = kept_and_made
    weak, strong = made.family.levels
    assert [one.wanted for one in made.family.levels] == [0.35, 0.65]
    assert all(abs(one.reached - one.wanted) <= 0.08 for one in (weak, strong))
    assert made.masked + 0.05 < weak.verified < strong.verified < made.clean
    assert abs(weak.verified - 0.35) < 0.2
    assert abs(strong.verified - 0.65) < 0.2
    assert 0 < weak.free < strong.free < 1000


def test_each_cleaner_gives_the_level_it_was_made_for(kept_and_made):
    family = kept_and_made[1].family
    for level, one in enumerate(family.levels, 1):
        cleaned = apply(family.masked, family.cleaner(level))
        changed = (cleaned.images != family.masked.images).flatten(1).any(1)
        assert int(changed.sum()) == one.free


def test_a_stopped_search_goes_on_without_training_again(kept_and_made, split):
    path, made = kept_and_made
    again = make_family(split, PLAN, SECRET, kept=Finished(path, 1))
    assert made.cost.trainings > 4
    assert again.cost.trainings == 0
    assert again.cost.kept == made.cost.trainings + made.cost.kept
    assert encode_family(again.family) == encode_family(made.family)


def test_another_secret_makes_other_masks_and_frees_other_images():
    data = made_up()
    one, other = (made_up_family(data, seed=seed) for seed in (0, 1))
    members = [family.slices.members(data.labels) for family in (one, other)]
    assert not torch.equal(*members)
    assert "0" not in repr(SECRET)
    with pytest.raises(HideError, match="has 32 bytes, not 3"):
        Secret(b"abc")


@pytest.mark.parametrize("kind", ["class", "sample"])
def test_the_owners_file_holds_every_mask_and_what_places_it(kind):
    family = made_up_family(made_up(), kind=kind)
    tensors = load(encode_family(family))
    assert torch.equal(tensors["values"], family.masks.values)
    assert np.array_equal(tensors["counts"].numpy(), family.slices.counts)
    with_others = made_up_family(made_up(), kind=kind, seed=1)
    assert encode_family(with_others) != encode_family(family)
    assert encode_family(made_up_family(made_up(), kind=kind)) == encode_family(family)


def test_held_out_images_are_published_but_not_learned():
    split = with_held_out(made_up(), 0.2, 0)
    assert len(split.data) == 60
    assert len(split.learned) == 48
    assert torch.bincount(split.test.labels).tolist() == [4, 4, 4]
    with pytest.raises(HideError, match="too few to hold one out"):
        with_held_out(made_up(3), 0.5, 0)
    with pytest.raises(HideError, match="above 0 and below 1, not 1"):
        with_held_out(made_up(), 1.0, 0)
    with pytest.raises(HideError, match="do not fit"):
        with_test_set(made_up(), made_up(shape=(3, 9, 9)))


def test_plans_that_cannot_be_made():
    with pytest.raises(LevelError, match="images or classes, not 'pixels'"):
        Plan((0.3,), order="pixels")
    with pytest.raises(LevelError, match=r"not 1\.2"):
        Plan((1.2,))
