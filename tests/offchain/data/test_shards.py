"""Shards: equal-sized, exact both ways, and safe to open when a stranger wrote them."""

import json
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from offchain.data.imageset import DataError, ImageSet
from offchain.data.shards import (
    MAX_HEADER_BYTES,
    MAX_SHARD_BYTES,
    PackedShards,
    ShardError,
    find_duplicates,
    join_shards,
    pack_shards,
    packed_part,
    shard_bytes,
    unpack_shard,
)


def make_set(count: int, shape: tuple[int, int, int] = (1, 3, 5), classes: int = 4) -> ImageSet:
    """Random pixels, sorted by class as many public sets are."""
    rng = np.random.default_rng(count)
    return ImageSet(
        torch.from_numpy(rng.integers(256, size=(count, *shape), dtype=np.uint8)),
        torch.arange(count) * classes // count,
        tuple(f"class {c}" for c in range(classes)),
        "made",
    )


def pairs(imageset: ImageSet) -> set[tuple[bytes, int]]:
    """Every image with its label."""
    images, labels = imageset.images.numpy(), imageset.labels.tolist()
    return {(bytes(image), label) for image, label in zip(images, labels, strict=True)}


@pytest.mark.parametrize("shape", [(1, 3, 5), (3, 8, 8)])
@pytest.mark.parametrize(("count", "size"), [(1, 1), (1, 50), (50, 1), (7, 7)])
def test_shards_are_of_the_size_foretold_and_join_to_what_was_packed(shape, count, size):
    imageset = make_set(50, shape)
    shards = pack_shards(imageset, count, size, seed=2)
    assert [len(shard) for shard in shards] == [shard_bytes(shape, size)] * count
    joined = join_shards(shards, imageset.classes)
    assert joined.digest() == packed_part(imageset, count, size, seed=2).digest()
    assert len(joined) == count * size


def test_all_samples_are_packed_once_with_their_own_labels():
    imageset = make_set(60)
    joined = join_shards(pack_shards(imageset, 6, 10), imageset.classes)
    assert pairs(joined) == pairs(imageset)
    assert len(pairs(imageset)) == 60


def test_the_seed_orders_the_samples_and_the_same_seed_gives_the_same_bytes():
    imageset = make_set(40)
    assert pack_shards(imageset, 4, 10, seed=1) == pack_shards(imageset, 4, 10, seed=1)
    assert pack_shards(imageset, 4, 10, seed=1) != pack_shards(imageset, 4, 10, seed=2)


def test_the_first_shards_of_a_set_sorted_by_class_mix_all_classes():
    imageset = make_set(1000, classes=10)
    for data in pack_shards(imageset, 20, 50)[:3]:
        counts = unpack_shard(data).labels.bincount(minlength=10)
        # 50 of 1,000: each class 5 expected, standard deviation 2.1.
        assert int(counts.min()) >= 1
        assert int(counts.max()) <= 5 + 5 * 2.1


@pytest.mark.parametrize(
    ("count", "size", "message"),
    [
        (7, 8, "7 shards of 8 samples need 56, made has 50"),
        (0, 8, "1 or more, not 0, 8"),
        (3, -1, "no shard holds -1 images"),
        (1, MAX_SHARD_BYTES, f"exceeds {MAX_SHARD_BYTES} bytes"),
    ],
)
def test_impossible_shards_are_refused_by_value_and_bound(count, size, message):
    with pytest.raises(DataError, match=message):
        pack_shards(make_set(50), count, size)


@pytest.mark.parametrize("shape", [(2, 4, 4), (1, 0, 4), (1, 4, -1)])
def test_a_size_is_foretold_for_images_only(shape):
    with pytest.raises(DataError, match=r"no shard holds 5 images of \(C, H, W\)"):
        shard_bytes(shape, 5)


# Bytes from a stranger


IMAGES = torch.zeros(2, 1, 2, 2, dtype=torch.uint8)
LABELS = torch.tensor([0, 1])


def framed(header: object, payload: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + payload


def one_tensor(dtype: str, shape: list[int], end: int) -> dict[str, object]:
    return {"images": {"dtype": dtype, "shape": shape, "data_offsets": [0, end]}}


class Bomb:
    """Unpickling it would raise; nothing may."""

    def __reduce__(self):
        return (pytest.fail, ("a shard was unpickled",))


GOOD = save({"images": IMAGES, "labels": LABELS})
HOSTILE = {
    "nothing": b"",
    "seven bytes": b"\0" * 7,
    "pickle": pickle.dumps(Bomb()),
    "header longer than the file": framed({}, length=900),
    "header of 2^63 bytes": framed({}, length=2**63),
    "header too long": framed(b"{" + b" " * MAX_HEADER_BYTES + b"}"),
    "header deeply nested": framed(b"[" * MAX_HEADER_BYTES),
    "header no UTF-8": framed(b"\xff\xfe"),
    "header no object": framed([]),
    "no tensors": framed({}),
    "a tensor of 2^40 bytes": framed(one_tensor("U8", [2**40], 2**40), b"a"),
    "a shape that overflows": framed(one_tensor("U8", [2**40, 2**40], 2**40), b"a"),
    "a type torch lacks": framed(one_tensor("F4", [2], 1), b"a"),
    "a type that writes to the terminal": framed(one_tensor("U8\n\x1b[2J", [1], 1), b"a"),
    "a name that writes to the terminal": save({"images": IMAGES, "labels\n\x1b[2J": LABELS}),
    "truncated": GOOD[:-1],
    "one byte more": GOOD + b"\0",
    "no labels": save({"images": IMAGES}),
    "a third tensor": save({"images": IMAGES, "labels": LABELS, "more": LABELS.clone()}),
    "metadata": save({"images": IMAGES, "labels": LABELS}, metadata={"copy": "7"}),
    "float images": save({"images": IMAGES.float(), "labels": LABELS}),
    "NaN images": save({"images": IMAGES.float().log().log(), "labels": LABELS}),
    "float labels": save({"images": IMAGES, "labels": LABELS.double()}),
    "narrow labels": save({"images": IMAGES, "labels": LABELS.int()}),
    "negative label": save({"images": IMAGES, "labels": LABELS - 1}),
    "huge label": save({"images": IMAGES, "labels": LABELS + 2**40}),
    "too few labels": save({"images": IMAGES, "labels": LABELS[:1]}),
    "no channel": save({"images": IMAGES[:, 0], "labels": LABELS}),
    "two channels": save({"images": IMAGES.repeat(1, 2, 1, 1), "labels": LABELS}),
    "no samples": save({"images": IMAGES[:0], "labels": LABELS[:0]}),
    "spaces in the header": framed(GOOD[8 : GOOD.index(b"}}") + 2] + b" " * 40, GOOD[-24:]),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_bytes_are_refused_with_one_printable_line(what):
    with pytest.raises(ShardError) as error:
        unpack_shard(HOSTILE[what])
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 600


def test_the_examples_are_hostile_by_what_they_add_alone():
    shard = unpack_shard(GOOD)
    assert torch.equal(shard.images, IMAGES)
    assert torch.equal(shard.labels, LABELS)
    # safetensors itself takes these; the check for the one form is ours.
    for what in ("metadata", "spaces in the header", "a third tensor"):
        assert load(HOSTILE[what]).keys() >= {"images", "labels"}


def test_any_damage_is_refused_or_gives_another_shard_in_its_one_form():
    data = pack_shards(make_set(6), 1, 6)[0]
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(400):
        damaged = bytearray(data)
        damaged[rng.integers(len(data))] ^= 1 << rng.integers(8)
        try:
            shard = unpack_shard(bytes(damaged))
        except ShardError:
            refused += 1
        else:
            assert save({"images": shard.images, "labels": shard.labels}) == damaged
    assert 100 < refused < 400


def test_an_oversized_shard_is_refused_before_it_is_parsed(monkeypatch):
    monkeypatch.setattr("offchain.data.shards.MAX_SHARD_BYTES", len(GOOD) - 1)
    with pytest.raises(ShardError, match=f"8 to {len(GOOD) - 1} bytes, not {len(GOOD)}"):
        unpack_shard(GOOD)


def test_a_long_header_is_refused_before_it_is_parsed():
    with pytest.raises(ShardError, match=f"at most {MAX_HEADER_BYTES} bytes"):
        unpack_shard(HOSTILE["header too long"])


# Joining


def test_the_shard_at_fault_is_named_by_its_position():
    shards = pack_shards(make_set(12), 3, 4)
    classes = make_set(12).classes
    with pytest.raises(ShardError, match="shard 1: a shard has 8 to"):
        join_shards([shards[0], b"", shards[2]], classes)
    other = pack_shards(make_set(12), 2, 5)[0]
    with pytest.raises(ShardError, match=r"shard 2 is \(5, 1, 3, 5\), shard 0 is \(4, 1, 3, 5\)"):
        join_shards([*shards[:2], other], classes)
    with pytest.raises(ShardError, match="label 3 is out of range for 3 classes"):
        join_shards(shards, classes[:3])
    with pytest.raises(ShardError, match="no shards"):
        join_shards([], classes)


# Duplicates


def test_repeated_shards_are_found_each_copy_once_against_the_first():
    a, b, c = pack_shards(make_set(12), 3, 4)
    assert find_duplicates([a, b, c]) == []
    assert find_duplicates([a, b, a, c, b, a]) == [(0, 2), (1, 4), (0, 5)]


def test_shards_that_are_made_when_asked_for_are_the_same():
    imageset = make_set(12)
    made = PackedShards(imageset, 3, 3)
    assert len(made) == 3
    assert [made[i] for i in range(3)] == list(made) == pack_shards(imageset, 3, 3)
    joined = join_shards(list(made), imageset.classes)
    assert torch.equal(joined.labels, packed_part(imageset, 3, 3).labels)
    for outside in (3, -1):
        with pytest.raises(IndexError):
            made[outside]
    with pytest.raises(DataError, match="need 15"):
        PackedShards(imageset, 5, 3)
