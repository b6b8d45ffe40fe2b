"""Corruptions change what they say, by as much as they say, and nothing else."""

import numpy as np
import pytest
import torch

from offchain.data import corruptions
from offchain.data.corruptions import Corruption, CorruptionPlan, corrupt
from offchain.data.imageset import DataError, ImageSet

CLASSES = 5
MADE_OF = {"mislabel": "labels", "noise": "images", "remove": "images", "decimate": "images"}
LEVELS = {
    "mislabel": [0, 0.2, 0.5, 0.8, 1],
    "noise": [0, 0.05, 0.2, 0.5, 1],
    "remove": [0, 0.1, 0.3, 0.7, 1],
    "decimate": [1, 2, 3, 6, 12],
    "dope": [0, 0.1, 0.3, 0.7, 1],
}


def make_set(count: int = 200, shape: tuple[int, int, int] = (3, 12, 12)) -> ImageSet:
    """Random pixels, none of them 0, so that removed pixels can be counted."""
    rng = np.random.default_rng(7)
    pixels = rng.integers(1, 256, size=(count, *shape), dtype=np.uint8)
    return ImageSet(
        torch.from_numpy(pixels),
        torch.arange(count) % CLASSES,
        tuple(f"class {c}" for c in range(CLASSES)),
        "made",
    )


def distance(one: ImageSet, other: ImageSet) -> float:
    """Root of the mean squared difference of pixel values."""
    return float((one.images.double() - other.images.double()).square().mean().sqrt())


def changed_images(one: ImageSet, other: ImageSet) -> torch.Tensor:
    return (one.images != other.images).flatten(1).any(dim=1)


AMOUNT = {
    "mislabel": lambda bad, good: float((bad.labels != good.labels).double().mean()),
    "noise": distance,
    "remove": lambda bad, good: float((bad.images == 0).double().mean()),
    # What is left of the pixels' spread: blurring evens it out.
    "decimate": lambda bad, good: -float(bad.images.double().std(dim=(2, 3)).mean()),
    "dope": lambda bad, good: float(changed_images(bad, good).double().mean()),
}


@pytest.mark.parametrize("kind", LEVELS)
def test_a_higher_level_corrupts_more_by_the_kind_s_own_measure(kind):
    good = make_set()
    bad = [corrupt(good, Corruption(kind, level), seed=3) for level in LEVELS[kind]]
    amounts = [AMOUNT[kind](each, good) for each in bad]
    assert all(np.diff(amounts) > 0), amounts


@pytest.mark.parametrize("kind", ["clean", *LEVELS])
def test_the_lowest_level_changes_nothing(kind):
    good = make_set()
    same = corrupt(good, Corruption(kind, LEVELS.get(kind, [0])[0]), seed=3)
    assert same.digest() == good.digest()


@pytest.mark.parametrize("shape", [(3, 12, 12), (1, 9, 14)])
@pytest.mark.parametrize("kind", LEVELS)
def test_size_shape_and_classes_stay_the_original_is_untouched_the_name_tells(kind, shape):
    good = make_set(shape=shape)
    digest = good.digest()
    corruption = Corruption(kind, LEVELS[kind][2])
    bad = corrupt(good, corruption, seed=3)
    assert good.digest() == digest
    assert bad.digest() != digest
    assert (len(bad), bad.shape, bad.classes) == (len(good), good.shape, good.classes)
    assert bad.name == f"made+{corruption}"


@pytest.mark.parametrize("kind", MADE_OF)
def test_labels_and_images_are_not_corrupted_together(kind):
    good = make_set()
    bad = corrupt(good, Corruption(kind, LEVELS[kind][-1]), seed=3)
    assert torch.equal(bad.labels, good.labels) == (MADE_OF[kind] == "images")
    assert torch.equal(bad.images, good.images) == (MADE_OF[kind] == "labels")


@pytest.mark.parametrize("kind", ["mislabel", "noise", "remove", "dope"])
def test_the_seed_decides_and_equal_seeds_agree(kind):
    good, corruption = make_set(), Corruption(kind, 0.4)
    digests = [corrupt(good, corruption, seed).digest() for seed in (1, 1, 2)]
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("kind", ["noise", "remove", "decimate"])
def test_working_in_chunks_changes_nothing_and_reports_progress(kind, monkeypatch):
    good, corruption = make_set(), Corruption(kind, LEVELS[kind][2])
    whole = corrupt(good, corruption, seed=3)
    monkeypatch.setattr(corruptions, "_CHUNK_VALUES", 90 * good.images[0].numel())
    calls = []
    pieces = corrupt(good, corruption, seed=3, progress=lambda *call: calls.append(call))
    assert pieces.digest() == whole.digest()
    assert calls == [(90, 200), (180, 200), (200, 200)]


# mislabel


@pytest.mark.parametrize("level", [0.1, 0.5, 1])
def test_mislabelling_shuffles_so_the_class_counts_stay(level):
    good = make_set(count=1000)
    bad = corrupt(good, Corruption("mislabel", level), seed=5)
    assert torch.equal(bad.labels.bincount(), good.labels.bincount())
    changed = int((bad.labels != good.labels).sum())
    # A shuffled sample gets its own class back with probability 1 / 5.
    expected, deviation = level * 1000 * 0.8, (level * 1000 * 0.16) ** 0.5
    assert changed <= level * 1000
    assert abs(changed - expected) < 5 * deviation


# noise


def test_noise_has_the_stated_deviation_and_no_bias_where_it_is_not_clipped():
    grey = ImageSet(
        torch.full((50, 1, 30, 30), 128, dtype=torch.uint8),
        torch.zeros(50, dtype=torch.int64),
        ("grey",),
        "grey",
    )
    bad = corrupt(grey, Corruption("noise", 0.1), seed=3).images.double()
    count = bad.numel()
    assert float(bad.std()) == pytest.approx(25.5, rel=5 / (2 * count) ** 0.5 + 0.001)
    assert abs(float(bad.mean()) - 128) < 5 * 25.5 / count**0.5


def test_noise_is_clipped_not_wrapped_around():
    white = ImageSet(
        torch.full((5, 1, 20, 20), 255, dtype=torch.uint8),
        torch.zeros(5, dtype=torch.int64),
        ("white",),
        "white",
    )
    bad = corrupt(white, Corruption("noise", 0.05), seed=3).images
    assert int(bad.min()) > 128
    assert 0.4 < float((bad == 255).double().mean()) < 0.6


# remove


@pytest.mark.parametrize("level", [0.1, 0.5, 0.9])
def test_removed_pixels_are_the_stated_share_in_every_image_gone_in_all_channels(level):
    good = make_set()
    bad = corrupt(good, Corruption("remove", level), seed=3)
    gone = bad.images == 0
    assert (gone.all(dim=1) == gone.any(dim=1)).all()
    assert gone[:, 0].flatten(1).sum(dim=1).tolist() == [round(level * 144)] * 200
    assert torch.equal(bad.images[~gone], good.images[~gone])
    assert len({bytes(mask) for mask in gone[:, 0].numpy().reshape(200, -1)}) == 200


# decimate


def test_decimating_evens_out_to_the_mean_and_no_further():
    good = make_set()
    flat = corrupt(good, Corruption("decimate", 12), seed=0).images
    means = good.images.double().mean(dim=(2, 3), keepdim=True)
    assert float((flat - means).abs().max()) <= 0.5 + 1e-3  # rounding, a tie either way
    assert torch.equal(corrupt(good, Corruption("decimate", 64), seed=0).images, flat)


# dope


def test_doping_replaces_the_stated_share_by_images_of_the_other_set_none_twice():
    good = make_set()
    other = ImageSet(
        torch.arange(200, dtype=torch.uint8).view(-1, 1, 1, 1).repeat(1, 3, 12, 12),
        torch.zeros(200, dtype=torch.int64),
        ("other",),
        "other",
    )
    bad = corrupt(good, Corruption("dope", 0.3), seed=3, dope_with=other)
    changed = changed_images(bad, good)
    assert int(changed.sum()) == 60
    strange = bad.images[changed].flatten(1)
    assert (strange == strange[:, :1]).all()
    assert len(set(strange[:, 0].tolist())) == 60
    assert torch.equal(bad.labels[~changed], good.labels[~changed])
    assert int(bad.labels.max()) < CLASSES


def test_labels_of_irrelevant_images_are_uniform_over_the_classes():
    bad = corrupt(make_set(count=1000), Corruption("dope", 1), seed=3)
    counts = bad.labels.bincount(minlength=CLASSES).double()
    chi_square = float(((counts - 200) ** 2 / 200).sum())
    assert chi_square < 20  # 4 degrees of freedom: 20 is passed once in 2,000 draws


def test_a_set_of_other_size_and_colour_is_converted_before_it_dopes():
    grey = make_set(shape=(1, 30, 20))
    bad = corrupt(make_set(), Corruption("dope", 1), seed=3, dope_with=grey)
    assert bad.shape == (3, 12, 12)
    assert torch.equal(bad.images[:, 0], bad.images[:, 2])


def test_photographs_dope_out_of_the_box_without_repeats_and_are_no_flat_pictures():
    bad = corrupt(make_set(shape=(1, 28, 28)), Corruption("dope", 1), seed=3)
    assert len({bytes(image) for image in bad.images.numpy()}) == 200
    assert float(bad.images.double().std(dim=(2, 3)).mean()) > 10


def test_too_small_a_set_to_dope_with_is_refused_by_both_numbers():
    few = make_set(count=10)
    with pytest.raises(DataError, match=r"made holds 10 images, .* by 0\.1 needs 20"):
        corrupt(make_set(), Corruption("dope", 0.1), seed=3, dope_with=few)


# Text


@pytest.mark.parametrize(
    "text",
    ["clean", "mislabel:0.3", "noise:0.05", "remove:1", "decimate:2.5", "decimate:64", "dope:0"],
)
def test_a_corruption_reads_back_what_it_prints(text):
    assert str(Corruption.parse(text)) == text
    assert Corruption.parse(f"  {text} ") == Corruption.parse(text)


@pytest.mark.parametrize("level", [0.1 + 0.2, 1e-7, 1 / 3, 0.9999999999999999])
def test_every_level_survives_its_text_exactly(level):
    assert Corruption.parse(str(Corruption("noise", level))).level == level


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is no corruption: one of clean, mislabel, noise, remove, decimate, dope"),
        ("blur:1", "'blur' is no corruption"),
        ("blur:much", "'blur' is no corruption"),
        ("clean:0.1", "clean takes no level: 'clean:0.1'"),
        ("noise", "noise needs a level, the standard deviation .*: noise:<level>"),
        ("noise:", "'noise:' is not a number"),
        ("noise:loud", "'noise:loud' is not a number"),
        ("noise:nan", r"noise must be 0 to 1 \(.*\), not nan"),
        ("mislabel:1.01", r"mislabel must be 0 to 1 \(.*\), not 1\.01"),
        ("remove:-0.1", r"not -0\.1"),
        ("decimate:0.5", r"decimate must be 1 to 64 \(.*\), not 0\.5"),
        ("dope:inf", "not inf"),
    ],
)
def test_what_is_no_corruption_is_refused_by_value_and_bound(text, message):
    with pytest.raises(DataError, match=message) as error:
        Corruption.parse(text)
    assert "\n" not in str(error.value)


# Plans


def test_a_plan_reads_back_what_it_prints_and_must_name_all_providers():
    text = "clean,mislabel:0.3,decimate:4"
    assert str(CorruptionPlan.parse(text, providers=3)) == text
    with pytest.raises(DataError, match="names 3 corruptions for 4 providers"):
        CorruptionPlan.parse(text, providers=4)
    with pytest.raises(DataError, match="names 3 corruptions for 2 datasets"):
        CorruptionPlan.parse(text).apply([make_set()] * 2, seed=0)


def test_providers_are_corrupted_independently_and_a_longer_plan_keeps_the_first_ones():
    part = make_set()
    two = CorruptionPlan.parse("noise:0.2,noise:0.2").apply([part] * 2, seed=1)
    assert two[0].digest() != two[1].digest()
    three = CorruptionPlan.parse("noise:0.2,noise:0.2,clean").apply([part] * 3, seed=1)
    assert [one.digest() for one in three[:2]] == [one.digest() for one in two]
    assert three[2].digest() == part.digest()
