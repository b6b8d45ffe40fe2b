"""Sampled sets: as bitmaps, drawn from a block hash, and chosen by the collector."""

import random
from itertools import pairwise

import pytest
from eth_hash.auto import keccak
from scipy.stats import chisquare

from offchain.crypto import bitmap
from offchain.crypto.errors import CommitmentError

SEED = keccak(b"a block hash")


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 1000])
def test_a_bitmap_is_undone_exactly(count):
    source = random.Random(count)
    for size in {1, count // 2, count}:
        indices = sorted(source.sample(range(count), size))
        words = bitmap.to_bitmap(indices, count)
        assert bitmap.from_bitmap(words) == indices
        assert len(words) == -(-count // 256)


def test_shard_i_is_bit_i_of_its_word():
    assert bitmap.to_bitmap([0, 3, 256, 300], 301) == [0b1001, 1 | 1 << 44]


@pytest.mark.parametrize("shard", [-1, 300, 511])
def test_a_shard_that_does_not_exist_is_named(shard):
    with pytest.raises(CommitmentError, match=f"shard {shard} out of range"):
        bitmap.to_bitmap([shard], 300)


@pytest.mark.parametrize(("count", "wanted"), [(1, 1), (10, 3), (10, 10), (100, 10), (10_000, 5)])
def test_a_draw_has_exactly_the_size_that_was_asked_for(count, wanted):
    for i in range(20):
        shards = bitmap.from_bitmap(bitmap.draw(keccak(SEED + bytes([i])), count, wanted))
        assert len(shards) == wanted
        assert shards[-1] < count


def test_a_draw_is_uniform_over_the_shards():
    """3 of 13 shards, 2,000 draws: chi-square of how often each shard came; seeds are fixed, so
    the test is deterministic, and a modulo bias of a tenth would be far outside."""
    times = [0] * 13
    for i in range(2000):
        for shard in bitmap.from_bitmap(bitmap.draw(keccak(SEED + i.to_bytes(2, "big")), 13, 3)):
            times[shard] += 1
    assert chisquare(times).pvalue > 0.01


def test_a_draw_is_uniform_over_the_sets():
    """All 10 pairs of 5 shards come equally often, not only all shards."""
    times = {}
    for i in range(2000):
        words = tuple(bitmap.draw(keccak(SEED + i.to_bytes(2, "big")), 5, 2))
        times[words] = times.get(words, 0) + 1
    assert len(times) == 10
    assert chisquare(list(times.values())).pvalue > 0.01


def test_numbers_that_would_favour_low_shards_are_thrown_away(monkeypatch):
    """Of 2**31 + 1 shards the 32-bit numbers above would come out as low ones a second time; a
    bitmap of that many shards does not fit, so the test looks at what would go into it."""
    count = (1 << 31) + 1
    first = int.from_bytes(keccak(SEED + bytes(32)), "big")
    numbers = [first >> (32 * k) & 0xFFFFFFFF for k in range(8)]
    allowed = [number for number in numbers if number < count]
    assert numbers[: len(allowed)] != allowed, "the seed must put the rule to the test"
    monkeypatch.setattr(bitmap, "to_bitmap", lambda chosen, _: sorted(chosen))
    assert bitmap.draw(SEED, count, len(allowed)) == sorted(allowed)


@pytest.mark.parametrize(
    ("count", "bps", "limit"),
    [(100, 1000, 10), (100, 999, 9), (3, 3333, 0), (3, 3334, 1), (10_000, 1, 1), (7, 10_000, 7)],
)
def test_the_limit_is_rounded_down(count, bps, limit):
    assert bitmap.sample_limit(count, bps) == limit


@pytest.mark.parametrize("count", [4, 12, 100])
def test_a_choice_is_as_large_as_allowed_ascending_and_repeatable_under_a_seed(count):
    chosen = bitmap.choose(count, count // 4, seed=1)
    assert len(chosen) == count // 4
    assert all(a < b for a, b in pairwise(chosen))
    assert 0 <= chosen[0] <= chosen[-1] < count
    assert chosen == bitmap.choose(count, count // 4, seed=1)


def test_without_a_seed_nobody_foresees_the_choice():
    """Not even who sets the global seed: the same 25 of 100 twice has odds of 1 in 10**23."""
    random.seed(0)
    first = bitmap.choose(100, 25)
    random.seed(0)
    assert bitmap.choose(100, 25) != first


def test_the_pledge_of_a_sample_is_the_hash_of_its_words():
    assert bitmap.bitmap_hash([1, 2]) == keccak((1).to_bytes(32, "big") + (2).to_bytes(32, "big"))
    assert bitmap.bitmap_hash([1]) != bitmap.bitmap_hash([1, 0])
