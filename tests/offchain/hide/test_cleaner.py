"""A cleaner gives its level bit for bit, to the dataset it is for, and nothing to any other."""

import json
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load, save

from offchain.hide.cleaner import (
    apply,
    decode_cleaner,
    encode_cleaner,
    load_cleaner,
    max_cleaner_bytes,
)
from offchain.hide.errors import (
    CleanerDtype,
    CleanerError,
    CleanerHeader,
    CleanerShape,
    EpsilonError,
    HideError,
    OtherDataset,
    OversizedCleaner,
    TruncatedCleaner,
)
from offchain.hide.inference import pooled
from offchain.hide.masks import KINDS, with_room
from offchain.hide.slices import ORDERS
from tests.offchain.hide.small import made_up, made_up_family

DATA = made_up()
FAMILY = made_up_family(DATA)
LIMIT = max_cleaner_bytes(FAMILY.masked)


@settings(max_examples=40, deadline=None)
@given(
    epsilon=st.integers(1, 64),
    kind=st.sampled_from(KINDS),
    order=st.sampled_from(ORDERS),
    channels=st.sampled_from([1, 3]),
    free=st.lists(st.integers(0, 60), min_size=1, max_size=4).map(sorted),
    seed=st.integers(0, 255),
)
def test_masked_plus_cleaner_is_the_level_bit_for_bit(epsilon, kind, order, channels, free, seed):
    data = made_up(shape=(channels, 9, 7), seed=seed)
    family = made_up_family(data, tuple(free), kind, epsilon, order, seed)
    roomy, members = with_room(data, epsilon), family.slices.members(data.labels)
    for level in range(1, len(free) + 1):
        cleaner = family.cleaner(level)
        sent = decode_cleaner(encode_cleaner(cleaner), max_cleaner_bytes(family.masked))
        freed = (members < level).view(-1, 1, 1, 1)
        expected = torch.where(freed, roomy.images, family.masked.images)  # D_k of Equation 6
        assert torch.equal(apply(family.masked, sent).images, expected)
        assert int(freed.sum()) == free[level - 1]


def test_masks_move_pixels_by_epsilon_at_most_and_never_clip():
    moved = FAMILY.masked.images.int() - with_room(DATA, 8).images.int()
    worn = FAMILY.masks.values[FAMILY.masks.rows].int()
    assert torch.equal(moved, worn)
    assert int(moved.abs().max()) == 8


def test_a_cleaner_by_class_does_not_grow_with_the_images():
    many = made_up(600)
    family = made_up_family(many, (50, 200, 410))
    few, more = (len(encode_cleaner(one.cleaner(2))) for one in (FAMILY, family))
    assert few == more


def test_two_colluding_buyers_have_the_better_level_and_nothing_more():
    levels = [apply(FAMILY.masked, FAMILY.cleaner(k)) for k in (1, 2, 3)]
    assert torch.equal(pooled(FAMILY.masked, levels[0], levels[1]).images, levels[1].images)
    assert torch.equal(pooled(FAMILY.masked, levels[2], levels[1]).images, levels[2].images)


def test_a_weak_cleaner_holds_no_mask_that_other_images_still_wear():
    cleaner, members = FAMILY.cleaner(1), FAMILY.slices.members(DATA.labels)
    sold = set(FAMILY.masks.rows[members < 1].tolist())
    worn = set(FAMILY.masks.rows[members >= 1].tolist())
    assert not sold & worn
    assert len(cleaner.changes) == len(DATA.classes)
    assert torch.equal(cleaner.changes, -FAMILY.masks.values[: len(DATA.classes)])


def test_another_dataset_is_refused_by_its_identity():
    cleaner = FAMILY.cleaner(1)
    other = FAMILY.masked.images.clone()
    other[0, 0, 0, 0] ^= 1
    with pytest.raises(OtherDataset, match=f"is for dataset {FAMILY.masked.digest()[:16]}"):
        apply(replace(FAMILY.masked, images=other), cleaner)
    with pytest.raises(OtherDataset):
        apply(FAMILY.masked.subset(range(59)), cleaner)


def test_a_cleaner_that_does_not_give_what_it_names_is_refused():
    changes = FAMILY.cleaner(1).changes.clone()
    changes[0, 0, 0, 0] += 1 if changes[0, 0, 0, 0] < 8 else -1
    with pytest.raises(CleanerError, match=r"not the \w+\.\.\. that it names"):
        apply(FAMILY.masked, replace(FAMILY.cleaner(1), changes=changes))


def test_changes_that_would_wrap_around_are_refused():
    masked = replace(FAMILY.masked, images=torch.full_like(FAMILY.masked.images, 254))
    cleaner = replace(
        FAMILY.cleaner(1),
        dataset=masked.digest(),
        changes=torch.full_like(FAMILY.cleaner(1).changes, 8),
    )
    with pytest.raises(HideError, match=r"masked pixels reach 262\.\.262, beyond 0\.\.255"):
        apply(masked, cleaner)


# Files


def changed(**tensors):
    """The file of the weakest cleaner with other tensors, its metadata as it is."""
    data = encode_cleaner(FAMILY.cleaner(1))
    length = int.from_bytes(data[:8], "little")
    said = json.loads(data[8 : 8 + length])["__metadata__"]
    return save({**load(data), **tensors}, said)


def retold(**fields):
    """The same file with other metadata."""
    data = encode_cleaner(FAMILY.cleaner(1))
    length = int.from_bytes(data[:8], "little")
    ((key, text),) = json.loads(data[8 : 8 + length])["__metadata__"].items()
    said = json.dumps({**json.loads(text), **fields}, sort_keys=True, separators=(",", ":"))
    return save(load(data), {key: said})


CHANGES = FAMILY.cleaner(1).changes
REFUSED = {
    "cut short": (lambda: encode_cleaner(FAMILY.cleaner(1))[:-1], TruncatedCleaner, "truncated"),
    "header alone": (lambda: encode_cleaner(FAMILY.cleaner(1))[:40], TruncatedCleaner, "40 bytes"),
    "empty": (lambda: b"", TruncatedCleaner, "0 bytes"),
    "a pickle": (lambda: b"\x80\x04" + bytes(100), TruncatedCleaner, "no cleaner"),
    "a bomb": (lambda: bytes(LIMIT + 1), OversizedCleaner, f"at most {LIMIT} bytes here"),
    "no metadata": (lambda: save({"changes": CHANGES}), CleanerHeader, "not that of a cleaner"),
    "float changes": (lambda: changed(changes=CHANGES.float()), CleanerDtype, "must be torch.int8"),
    "wide counts": (
        lambda: changed(counts=torch.zeros(1, 3, dtype=torch.int64)),
        CleanerDtype,
        "must be torch.int32",
    ),
    "rows missing": (lambda: changed(changes=CHANGES[1:]), CleanerShape, r"must be \(3, C, H, W\)"),
    "flat": (lambda: changed(changes=CHANGES.flatten()), CleanerShape, "must be"),
    "counts": (
        lambda: changed(counts=torch.zeros(2, 3, dtype=torch.int32)),
        CleanerShape,
        "do not fit 1 seeds",
    ),
    "negative": (
        lambda: changed(counts=-torch.ones(1, 3, dtype=torch.int32)),
        CleanerShape,
        "cannot have -1 images",
    ),
    "epsilon 0": (lambda: retold(epsilon=0), EpsilonError, "from 1 to 64, not 0"),
    "epsilon 65": (lambda: retold(epsilon=65), EpsilonError, "from 1 to 64, not 65"),
    "too strong": (lambda: retold(epsilon=1), EpsilonError, "ball of radius 1/255"),
    "no digest": (lambda: retold(dataset="x"), CleanerHeader, "64 hex digits"),
    "no seeds": (lambda: retold(seeds=["zz"]), CleanerHeader, "32 hex digits"),
    "kind": (lambda: retold(kind="none"), CleanerHeader, "class or sample"),
    "more fields": (lambda: retold(more=1), CleanerHeader, "more"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_is_no_cleaner_is_refused_by_name_in_one_line(what):
    make, error, words = REFUSED[what]
    with pytest.raises(error, match=words) as caught:
        decode_cleaner(make(), LIMIT)
    assert type(caught.value) is error
    assert "\n" not in str(caught.value)


def test_more_images_than_a_class_has_are_refused():
    greedy = changed(counts=torch.tensor([[21, 0, 0]], dtype=torch.int32))
    with pytest.raises(HideError, match="slice 0 wants"):
        apply(FAMILY.masked, decode_cleaner(greedy, LIMIT))


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "cleaner"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OversizedCleaner, match=f"not {1 << 40}"):
        load_cleaner(path, FAMILY.masked)


def test_equal_cleaners_are_equal_bytes_and_levels_are_numbered():
    assert encode_cleaner(FAMILY.cleaner(2)) == encode_cleaner(FAMILY.cleaner(2))
    assert FAMILY.cleaner(2).level == 2
    for level in (0, 4):
        with pytest.raises(HideError, match=f"1 to 3, not {level}"):
            FAMILY.cleaner(level)


def test_images_of_another_size_are_refused():
    other = made_up(shape=(3, 8, 10))
    cleaner = replace(FAMILY.cleaner(1), dataset=other.digest())
    with pytest.raises(CleanerShape, match="do not fit images"):
        apply(other, cleaner)
