"""Shards: files in and the very files out, and safe to open when a stranger wrote them."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from offchain.data import shards as module
from offchain.data.imageset import DataError, ImageSet
from offchain.data.originals import originals_of
from offchain.data.shards import (
    FORMAT,
    MAX_SHARD_BYTES,
    PackedShards,
    Shard,
    ShardError,
    pack_shard,
    packed_part,
    unpack_shard,
)

CLASSES = ("ant", "bee", "käfer", "wasp")


def make_set(count, classes=CLASSES):
    """Random pixels as files, sorted by class as many public sets are."""
    rng = np.random.default_rng(count)
    return originals_of(
        ImageSet(
            torch.from_numpy(rng.integers(256, size=(count, 1, 3, 5), dtype=np.uint8)),
            torch.arange(count) * len(classes) // count,
            tuple(classes),
            "made",
        )
    )


@pytest.mark.parametrize(("count", "size"), [(1, 1), (1, 50), (50, 1), (7, 7)])
def test_the_files_of_shards_are_those_that_were_packed_and_lengths_are_foretold(count, size):
    made = make_set(50)
    shards = PackedShards(made, count, size, seed=2)
    assert shards.lengths == tuple(len(shard) for shard in shards)
    assert len(shards) == count
    read = [unpack_shard(shard, CLASSES, size) for shard in shards]
    part = packed_part(made, count, size, seed=2)
    assert [file for shard in read for file in shard.files] == list(part.files)
    assert [label for shard in read for label in shard.labels] == part.labels.tolist()


def test_all_samples_are_packed_once_with_their_own_labels():
    made = make_set(60)
    part = packed_part(made, 6, 10)
    pairs = set(zip(made.files, made.labels.tolist(), strict=True))
    assert set(zip(part.files, part.labels.tolist(), strict=True)) == pairs
    assert len(pairs) == 60


def test_the_seed_orders_the_samples_and_the_same_seed_gives_the_same_bytes():
    made = make_set(40)
    one, same, other = (PackedShards(made, 4, 10, seed) for seed in (1, 1, 2))
    assert list(one) == list(same) != list(other)
    assert one.digest() == same.digest() != other.digest()


def test_the_first_shards_of_a_set_sorted_by_class_mix_all_classes():
    made = make_set(1000, [str(digit) for digit in range(10)])
    labels = packed_part(made, 20, 50).labels.view(20, 50)
    for some in labels[:3]:
        counts = some.bincount(minlength=10)
        # 50 of 1,000: each class 5 expected, standard deviation 2.1.
        assert int(counts.min()) >= 1
        assert int(counts.max()) <= 5 + 5 * 2.1


@pytest.mark.parametrize(
    ("count", "size", "message"),
    [
        (7, 8, "7 shards of 8 samples need 56, made has 50"),
        (0, 8, "1 or more, not 0, 8"),
        (3, -1, "1 or more, not 3, -1"),
    ],
)
def test_impossible_shards_are_refused_by_value_and_bound(count, size, message):
    with pytest.raises(DataError, match=message):
        PackedShards(make_set(50), count, size)


def test_files_too_large_for_a_shard_are_refused_before_one_is_made(monkeypatch):
    most = max(PackedShards(make_set(12), 3, 4).lengths)
    monkeypatch.setattr(module, "MAX_SHARD_BYTES", most)
    assert len(list(PackedShards(make_set(12), 3, 4))) == 3
    monkeypatch.setattr(module, "MAX_SHARD_BYTES", most - 1)
    with pytest.raises(DataError, match=f"4 files would have {most:,} bytes, at most {most - 1:,}"):
        PackedShards(make_set(12), 3, 4)


def test_no_shard_is_made_before_it_is_asked_for_or_outside_of_all():
    made = PackedShards(make_set(12), 3, 4)
    assert [made[i] for i in range(3)] == list(made)
    for outside in (3, -1):
        with pytest.raises(IndexError):
            made[outside]


def test_a_file_that_is_gone_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(make_set(4).files[0])
    made = make_set(4)
    files = (tmp_path / "a.png", *made.files[1:])
    shards = PackedShards(replace(made, files=files), 1, 4)
    (tmp_path / "a.png").unlink()
    with pytest.raises(DataError, match=r"a\.png cannot be read: No such file"):
        shards[0]


# Bytes from a stranger


def framed(*records, count=None, first=FORMAT):
    """Records (name, file) as the format has them, or with other lengths (name, file, n, f)."""
    data = first + (len(records) if count is None else count).to_bytes(4, "big")
    for name, file, *lengths in records:
        told, size = lengths or (len(name), len(file))
        data += told.to_bytes(2, "big") + name + size.to_bytes(4, "big") + file
    return data


class Bomb:
    """Unpickling it would raise; nothing may."""

    def __reduce__(self):
        return (pytest.fail, ("a shard was unpickled",))


TWO = ((b"ant", b"picture"), ("käfer".encode(), b"p"))
GOOD = framed(*TWO)
HOSTILE = {
    "nothing": b"",
    "seven bytes": b"\0" * 7,
    "pickle": pickle.dumps(Bomb()),
    "another version": framed(*TWO, first=b"souk.shard.v0\n"),
    "the format alone": FORMAT,
    "no samples": framed(),
    "one sample": framed(TWO[0]),
    "three samples": framed(*TWO, TWO[0]),
    "more samples than records": framed(*TWO, count=3),
    "2^32 - 1 samples": framed(*TWO, count=2**32 - 1),
    "fewer samples than records": framed(*TWO, count=1),
    "one byte more": GOOD + b"\0",
    "truncated": GOOD[:-1],
    "a name past the end": framed(TWO[0], (b"bee", b"x", 60_000, 1)),
    "a file of 4 GiB": framed(TWO[0], (b"bee", b"x", 3, 2**32 - 1)),
    "a file that takes the next record": framed((b"ant", b"x", 3, 9), (b"bee", b"y")),
    "an empty file": framed(TWO[0], (b"bee", b"")),
    "no name": framed(TWO[0], (b"", b"x")),
    "an unknown class": framed(TWO[0], (b"hornet", b"x")),
    "a path as class": framed(TWO[0], (b"../../ant", b"x")),
    "a class that writes to the terminal": framed(TWO[0], (b"ant\n\x1b[2J", b"x")),
    "a class that is no UTF-8": framed(TWO[0], (b"\xff\xfe", b"x")),
    "a class in another form": framed(TWO[0], ("ka\u0308fer".encode(), b"x")),
    "a class of 60,000 bytes": framed(TWO[0], (b"a" * 60_000, b"x")),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_bytes_are_refused_with_one_printable_line(what):
    with pytest.raises(ShardError) as error:
        unpack_shard(HOSTILE[what], CLASSES, 2)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 200


def test_the_examples_are_hostile_by_what_they_change_alone():
    assert unpack_shard(GOOD, CLASSES, 2) == Shard((b"picture", b"p"), (0, 2))
    assert pack_shard(Shard((b"picture", b"p"), (0, 2)), CLASSES) == GOOD


def test_any_damage_is_refused_or_gives_another_shard_in_its_one_form():
    data = PackedShards(make_set(6), 1, 6)[0]
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(400):
        damaged = bytearray(data)
        damaged[rng.integers(len(data))] ^= 1 << rng.integers(8)
        try:
            shard = unpack_shard(bytes(damaged), CLASSES, 6)
        except ShardError:
            refused += 1
        else:
            assert pack_shard(shard, CLASSES) == damaged
    assert 10 < refused < 390


def test_an_oversized_shard_is_neither_read_nor_written():
    with pytest.raises(ShardError, match=f"at most {MAX_SHARD_BYTES} bytes, not"):
        unpack_shard(bytes(MAX_SHARD_BYTES + 1), CLASSES, 1)
    with pytest.raises(ShardError, match=f"at most {MAX_SHARD_BYTES} bytes, not"):
        pack_shard(Shard((bytes(MAX_SHARD_BYTES),), (0,)), CLASSES)
    for shard in (Shard((), ()), Shard((b"",), (0,))):
        with pytest.raises(ShardError):
            pack_shard(shard, CLASSES)
