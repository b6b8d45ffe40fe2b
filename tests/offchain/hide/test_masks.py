"""Masks stay in their ball, keep models from learning, and are fixed by their seed."""

from dataclasses import replace

import pytest
import torch

from offchain.hide.errors import ClassWithoutImages, EpsilonError, HideError
from offchain.hide.masks import Masks, MaskSettings, add, generate, rows_by_class, with_room
from offchain.hide.networks import NETWORKS, factory
from offchain.hide.training import TrainingSettings, train
from tests.offchain.hide.small import digits, made_up

QUICK = TrainingSettings(epochs=3, batch=64)
STRONG = MaskSettings(patch=7, steps=40)


def tiny(settings, seed=0, data=None):
    data = data or made_up()
    return generate(
        data, data.labels, factory("plain", len(data.classes), data.shape), settings, seed
    )


@pytest.mark.parametrize("epsilon", [1, 8, 64])
@pytest.mark.parametrize("kind", ["class", "sample"])
def test_masks_stay_in_the_ball_and_masked_images_in_range(epsilon, kind):
    data = made_up()
    rows = data.labels if kind == "class" else torch.arange(len(data))
    settings = MaskSettings(epsilon, kind, steps=3, inner=1, rate=1.0, batch=16)
    masks = generate(data, rows, factory("plain", 3, data.shape), settings, 0)
    assert masks.values.dtype == torch.int8
    assert masks.values.abs().max() == epsilon
    moved = masks.added_to(data_with_room := with_room(data, epsilon)).images.int()
    assert torch.equal(moved - data_with_room.images.int(), masks.values[rows].int())


def test_a_masked_dataset_teaches_next_to_nothing():
    learn, test = digits()
    small = factory("small-resnet", 10, learn.shape)
    masks = generate(learn, learn.labels, small, STRONG, 0)
    masked = masks.added_to(with_room(learn, 8))
    clean = train(small, with_room(learn, 8), QUICK, 1).accuracy(test)
    hidden = train(small, masked, QUICK, 1).accuracy(test)
    other = train(factory("plain", 10, learn.shape), masked, QUICK, 1).accuracy(test)
    assert clean > 0.8
    assert hidden < 0.3
    assert other < 0.4


def test_equal_seeds_make_equal_masks_and_leave_torchs_randomness_alone():
    settings = MaskSettings(steps=4, batch=16)
    before = torch.random.get_rng_state()
    one, same, other = tiny(settings), tiny(settings), tiny(settings, seed=1)
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(one.values, same.values)
    assert not torch.equal(one.values, other.values)


def test_training_is_fixed_by_its_seed():
    data = made_up()
    small = factory("small-resnet", 3, data.shape)
    models = [train(small, data, TrainingSettings(2, 16), seed).model for seed in (0, 0, 1)]
    weights = [torch.cat([w.flatten() for w in model.parameters()]) for model in models]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


@pytest.fixture
def with_threads():
    """Runs a call while torch has so many threads."""
    before = torch.get_num_threads()

    def run(threads, call):
        torch.set_num_threads(threads)
        made = call()
        assert torch.get_num_threads() == threads
        return made

    yield run
    torch.set_num_threads(before)


def test_training_in_small_steps_is_the_same_on_any_number_of_threads(with_threads):
    data, threads = made_up(256, shape=(3, 16, 16)), set()

    def weights():
        model = train(
            factory("plain", 3, data.shape),
            data,
            TrainingSettings(1, 64),
            0,
            progress=lambda done, of: threads.add(torch.get_num_threads()),
        ).model
        return torch.cat([one.detach().flatten() for one in model.parameters()])

    assert torch.equal(with_threads(1, weights), with_threads(2, weights))
    assert threads == {1}


def test_squares_are_constant_and_grey_masks_equal_in_all_channels():
    values = tiny(MaskSettings(patch=4, grey=True, steps=4, batch=16)).values
    assert torch.equal(values[:, :1].expand_as(values), values)
    for corner in (values[:, :, :4, :4], values[:, :, 4:, :4]):
        assert torch.equal(corner, corner[:, :, :1, :1].expand_as(corner))
    assert not torch.equal(values[:, :, 0, 0], values[:, :, 4, 0])


def test_room_costs_what_it_says_and_no_more():
    data = made_up()
    roomy = with_room(data, 8)
    assert int(roomy.images.min()) == 8
    assert int(roomy.images.max()) == 247
    assert int((roomy.images.int() - data.images.int()).abs().max()) == 8
    inner = (data.images >= 8) & (data.images <= 247)
    assert torch.equal(roomy.images[inner], data.images[inner])


def test_each_group_of_a_class_has_a_mask_of_its_own():
    rows = rows_by_class(torch.tensor([0, 1, 0, 1]), torch.tensor([0, 0, 2, 2]), 3)
    assert rows.tolist() == [0, 3, 2, 5]


def test_progress_is_told_in_steps():
    data, told = made_up(), []
    settings = MaskSettings(steps=3, batch=16)
    small = factory("plain", 3, data.shape)
    generate(data, data.labels, small, settings, 0, progress=lambda *step: told.append(step))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("channels", [1, 3])
def test_networks_take_any_classes_and_images(name, channels):
    for classes, side in ((2, 8), (37, 19)):
        model = factory(name, classes, (channels, side, side))()
        assert model(torch.zeros(2, channels, side, side)).shape == (2, classes)


REFUSED = {
    "epsilon 0": (lambda: MaskSettings(0), EpsilonError, "from 1 to 64, not 0"),
    "epsilon 65": (lambda: MaskSettings(65), EpsilonError, "from 1 to 64, not 65"),
    "epsilon of room": (lambda: with_room(made_up(), 128), EpsilonError, "not 128"),
    "half": (lambda: MaskSettings(0.5), EpsilonError, "whole number of 1/255"),
    "kind": (lambda: MaskSettings(kind="all"), HideError, "per class or sample, not per 'all'"),
    "patch": (lambda: MaskSettings(patch=0), HideError, "patch and steps must be 1 or more"),
    "rate": (lambda: MaskSettings(rate=0), HideError, "rate must be above 0"),
    "network": (lambda: factory("vgg", 3, (3, 8, 8)), HideError, "'vgg' is none of the networks"),
    "one class": (lambda: factory("plain", 1, (3, 8, 8)), HideError, "2 classes or more, not 1"),
    "tiny": (lambda: factory("plain", 2, (3, 7, 9)), HideError, "8 pixels a side or more, not 9x7"),
    "epochs": (lambda: TrainingSettings(epochs=0), HideError, "1 epoch or more"),
    "ball": (
        lambda: Masks(torch.full((1, 1, 2, 2), 9, dtype=torch.int8), torch.tensor([0]), 8),
        EpsilonError,
        "ball of radius 8/255",
    ),
    "empty class": (
        lambda: tiny(MaskSettings(), data=replace(made_up(), classes=("a", "b", "c", "cats"))),
        ClassWithoutImages,
        "class 'cats' of made up has no images",
    ),
    "overflow": (
        lambda: add(
            made_up().images, torch.full((1, 3, 8, 8), 8).to(torch.int8), made_up().labels * 0
        ),
        HideError,
        r"masked pixels reach 8\.\.263, beyond 0\.\.255",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_asked_for_is_said_in_one_line(what):
    ask, error, words = REFUSED[what]
    with pytest.raises(error, match=words) as caught:
        ask()
    assert "\n" not in str(caught.value)


def test_masks_apart_are_at_right_angles_and_as_strong_and_others_are_alike():
    data, groups = made_up(120), 4
    rows = rows_by_class(torch.arange(120) % groups, data.labels, 3)

    def cosines(apart):
        settings = MaskSettings(steps=40, batch=60, apart=apart)
        masks = generate(data, rows, factory("plain", 3, data.shape), settings, 0)
        table = masks.values.double().view(groups, 3, -1).transpose(0, 1)
        length = table.norm(dim=2, keepdim=True)
        between = (table / length) @ (table / length).transpose(1, 2)
        between -= torch.eye(groups)
        return float(between.abs().max()), float(length.mean()) / (8 * 192**0.5)

    (far, strong), (near, stronger) = cosines(True), cosines(False)
    assert far < 0.1
    assert near > 0.3
    assert strong > 0.6 * stronger


def test_masks_that_cannot_stand_apart_are_refused():
    with pytest.raises(HideError, match="only masks by class stand apart"):
        MaskSettings(kind="sample", apart=True)
    data = made_up()
    rows = rows_by_class(torch.arange(60) % 5, data.labels, 3)
    settings = MaskSettings(patch=4, grey=True, apart=True)
    with pytest.raises(HideError, match="5 masks of a class cannot stand apart in 4 numbers"):
        generate(data, rows, factory("plain", 3, data.shape), settings, 0)
