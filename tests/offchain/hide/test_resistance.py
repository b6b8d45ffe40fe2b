"""What free counter-measures and buyers can do: each does what it says."""

from dataclasses import replace

import pytest
import torch

from offchain.hide.augmentation import Adversarial, cut_out, flip_and_shift, mixed_up
from offchain.hide.cleaner import apply
from offchain.hide.countermeasures import (
    Countermeasure,
    best,
    compressed,
    countermeasures,
    greyed,
    regained,
)
from offchain.hide.errors import HideError
from offchain.hide.inference import (
    averaged_away,
    class_means,
    guessed_by_buyer,
    guessed_by_crawler,
    guessed_from_cleaner,
    share_known,
    still_masked,
    stripped,
)
from offchain.hide.masks import Masks, with_room
from offchain.hide.networks import factory
from offchain.hide.preservation import likeness, mean_likeness
from offchain.hide.training import Batch, Standard, TrainingSettings
from offchain.runs.finished import Finished
from offchain.runs.spread import Spread
from tests.offchain.hide.small import made_up, made_up_family


def batch_of(data, seed=0):
    random = torch.Generator().manual_seed(seed)
    model = factory("plain", len(data.classes), data.shape)()
    pixels = data.images.float()
    return Batch(pixels, data.labels, len(data.classes), model, Standard.of(data.images), random)


def grey_noise(images=400, spread=4):
    """Images that differ by noise alone, as averaging likes them best."""
    data = made_up(images, shape=(1, 12, 12))
    noise = torch.randint(
        -spread, spread + 1, data.images.shape, generator=torch.Generator().manual_seed(1)
    )
    return replace(data, images=(128 + noise).to(torch.uint8))


def test_a_crawler_finds_a_mask_that_many_images_share_and_none_that_is_their_own():
    data = grey_noise()
    everyone = torch.ones(len(data), dtype=torch.bool)
    known = {}
    for kind in ("class", "sample"):
        family = made_up_family(data, (0,), kind)
        guess = guessed_by_crawler(family.masked, 8)
        known[kind] = share_known(guess, family.masks, data.labels, everyone)
    assert known["class"] > 0.6
    assert known["sample"] < 0.05


def test_a_buyer_of_a_weak_level_sees_the_mean_of_the_other_masks_and_no_single_one():
    data = grey_noise(900)
    family = made_up_family(data, (300, 600))
    bought = apply(family.masked, family.cleaner(1))
    guess = guessed_by_buyer(family.masked, bought, 8)
    still = still_masked(family.masked, bought)
    members = family.slices.members(data.labels)
    assert torch.equal(still, members >= 1)
    # Two masks of equal weight are worn by the rest: their mean is half of either.
    assert 0.35 < share_known(guess, family.masks, data.labels, still) < 0.65
    better = apply(family.masked, family.cleaner(2))
    alone = guessed_by_buyer(family.masked, better, 8)
    last = still_masked(family.masked, better)
    assert share_known(alone, family.masks, data.labels, last) > 0.9


def test_a_buyer_knows_masks_that_resemble_those_it_bought_off():
    family = made_up_family(grey_noise(), (100, 200))
    three = family.masks.values.view(3, 3, *family.masked.shape)
    alike = Masks(
        three[:1].expand_as(three).reshape(family.masks.values.shape), family.masks.rows, 8
    )
    others = family.slices.members(family.masked.labels) >= 1
    bought = family.cleaner(1)
    guess = guessed_from_cleaner(bought)
    assert torch.equal(guess, family.masks.values[:3].float())
    assert share_known(guess, alike, family.masked.labels, others) == 1
    assert share_known(guess, family.masks, family.masked.labels, others) < 0
    with pytest.raises(HideError, match="tell nothing of one another"):
        guessed_from_cleaner(made_up_family(grey_noise(), (100,), "sample").cleaner(1))


def test_the_masks_of_slices_tell_nothing_of_one_another():
    family = made_up_family(grey_noise(), (100,))
    one, other = (family.masks.values[k * 3 : (k + 1) * 3].float().flatten() for k in (0, 1))
    cosine = float(one @ other / (one.norm() * other.norm()))
    assert abs(cosine) < 0.2


def test_a_right_guess_strips_a_mask_off():
    data = grey_noise()
    family = made_up_family(data, (0,))
    everyone = torch.ones(len(data), dtype=torch.bool)
    true = family.masks.values[3:].float()  # of the images that no slice frees
    assert torch.equal(stripped(family.masked, everyone, true).images, with_room(data, 8).images)
    assert averaged_away(family.masked, 8).images.shape == data.images.shape


def test_means_are_of_classes():
    data = made_up()
    expected = data.images[data.labels == 1].float().mean(0)
    torch.testing.assert_close(class_means(data)[1], expected)


def test_shifting_keeps_pixels_and_passes_gradients():
    x = torch.arange(64.0).view(1, 1, 8, 8).repeat(50, 1, 1, 1).requires_grad_()
    moved = flip_and_shift(x, torch.Generator().manual_seed(0))
    assert moved.shape == x.shape
    assert len(torch.unique(moved.detach(), dim=0)) > 20
    assert set(moved.detach().unique().tolist()) <= set(x.detach().unique().tolist())
    moved.sum().backward()
    assert x.grad is not None
    assert 0 < float(x.grad.sum()) <= x.numel()


def test_cutout_cuts_a_square_of_half_the_side():
    batch = batch_of(made_up(shape=(3, 16, 16)))
    changed, labels = cut_out(batch)
    holes = (changed == 127.5).all(1).flatten(1).sum(1)
    assert torch.equal(labels, batch.labels)
    assert 0 < int(holes.max()) <= 64


def test_mixup_mixes_labels_as_it_mixes_images():
    batch = batch_of(made_up())
    mixed, labels = mixed_up(batch)
    torch.testing.assert_close(labels.sum(1), torch.ones(60))
    assert bool((labels.max(1).values < 0.999).any())
    assert not torch.equal(mixed, batch.pixels)


def test_adversarial_examples_stay_in_their_ball_and_raise_the_loss():
    batch = batch_of(made_up())
    moved, labels = Adversarial(4)(batch)
    assert float((moved - batch.pixels).abs().max()) <= 4 + 1e-4
    assert 0 <= float(moved.min()) <= float(moved.max()) <= 255
    losses = [
        torch.nn.functional.cross_entropy(batch.model(batch.standard(x)), labels)
        for x in (batch.pixels, moved)
    ]
    assert losses[1] > losses[0]


def test_grey_is_grey_and_jpeg_changes_pixels():
    data = made_up(shape=(3, 16, 16))
    grey = greyed(data).images
    assert torch.equal(grey, grey[:, :1].expand_as(grey))
    assert not torch.equal(compressed(data).images, data.images)
    assert compressed(made_up(shape=(1, 16, 16))).shape == (1, 16, 16)


def test_every_counter_measure_runs_and_the_best_one_is_named():
    data = made_up(shape=(3, 16, 16))
    settings, told = TrainingSettings(epochs=1, batch=16), []
    measures = countermeasures(8, "plain")
    rows = regained(
        data, data, measures, "small-resnet", settings, 0, progress=lambda *at: told.append(at)
    )
    assert [row.name for row in rows] == [one.name for one in measures]
    assert len({row.name for row in rows}) == 9
    assert told[-1] == (9, 9)
    assert best(rows).accuracy == max(row.accuracy for row in rows)
    with pytest.raises(HideError, match="at least one"):
        regained(data, data, [], "plain", settings, 0)
    assert regained(data, data, [Countermeasure("none")], "small-resnet", settings, 0) == rows[:1]


def test_spread_over_processes_they_find_the_same_and_none_is_tried_twice(tmp_path, monkeypatch):
    data, settings = made_up(shape=(3, 16, 16)), TrainingSettings(epochs=1, batch=16)
    picked = {"none", "JPEG", "adversarial training", "averaging"}
    measures = [one for one in countermeasures(8, "plain") if one.name in picked]
    rows = regained(data, data, measures, "plain", settings, 0)
    finished = Finished(tmp_path, 1)
    spread = {"finished": finished, "spread": Spread(2)}
    assert regained(data, data, measures, "plain", settings, 0, **spread) == rows
    monkeypatch.setattr("offchain.hide.countermeasures.train", None)
    assert regained(data, data, measures, "plain", settings, 0, finished=finished) == rows
    with pytest.raises(TypeError):
        regained(data, data, measures, "plain", settings, 1, finished=finished)


def test_equals_are_alike_and_stronger_masks_less_so():
    data = made_up(shape=(3, 16, 16))
    assert likeness(data.images[0], data.images[0]).mse == 0
    assert likeness(data.images[0], data.images[0]).ssim == pytest.approx(1)
    weak, strong = (
        mean_likeness(data, made_up_family(data, (0,), epsilon=epsilon).masked)
        for epsilon in (4, 16)
    )
    assert weak.mse < strong.mse
    assert weak.ssim > strong.ssim
    with pytest.raises(HideError, match="equal shapes with sides of 7 or more"):
        likeness(data.images[0], data.images[0][:, :5])
