"""Encrypted shards open under their own key, at their own place, unchanged, and not otherwise."""

import pytest

from offchain.crypto.errors import ShardCipherError
from offchain.crypto.shard_cipher import TAG_BYTES, decrypt_shard, encrypt_shard, encrypted_batches

KEY = bytes(range(32))
PLAIN = b"images and labels" * 50


@pytest.mark.parametrize("plain", [b"", b"x", PLAIN])
@pytest.mark.parametrize("index", [0, 1, 9_999])
def test_a_shard_is_read_back_as_it_was(plain, index):
    ciphertext = encrypt_shard(KEY, index, plain)
    assert decrypt_shard(KEY, index, ciphertext) == plain
    assert len(ciphertext) == len(plain) + TAG_BYTES


def test_nothing_of_the_plain_shows():
    assert PLAIN[:8] not in encrypt_shard(KEY, 0, PLAIN)


def test_encrypting_again_gives_the_same_bytes():
    """So a provider that restarts stores nothing new and registers the same addresses."""
    assert encrypt_shard(KEY, 3, PLAIN) == encrypt_shard(KEY, 3, PLAIN)


def test_another_key_is_refused_naming_the_shard():
    with pytest.raises(ShardCipherError, match=r"shard 7 \(866 bytes\) does not decrypt"):
        decrypt_shard(KEY[::-1], 7, encrypt_shard(KEY, 7, PLAIN))


def test_a_shard_at_another_place_is_refused_naming_that_place():
    """Else shards could be swapped behind the commitment to their keys."""
    with pytest.raises(ShardCipherError, match="shard 8 "):
        decrypt_shard(KEY, 8, encrypt_shard(KEY, 7, PLAIN))


@pytest.mark.parametrize("place", [0, 400, -TAG_BYTES, -1])
def test_a_flipped_bit_is_refused(place):
    ciphertext = bytearray(encrypt_shard(KEY, 7, PLAIN))
    ciphertext[place] ^= 1
    with pytest.raises(ShardCipherError, match="shard 7 "):
        decrypt_shard(KEY, 7, bytes(ciphertext))


@pytest.mark.parametrize("length", [0, 1, TAG_BYTES - 1, TAG_BYTES, len(PLAIN)])
def test_a_shard_cut_short_is_refused(length):
    """Shorter than a tag, too, which the cipher library reports in its own way."""
    with pytest.raises(ShardCipherError, match=f"shard 7 \\({length} bytes\\)"):
        decrypt_shard(KEY, 7, encrypt_shard(KEY, 7, PLAIN)[:length])


def test_batches_hold_all_in_order_and_little_at_a_time():
    """No more shards are asked for than a batch needs."""
    asked = []

    def shards():
        for i in range(10):
            asked.append(i)
            yield i, bytes([i]) * 100

    keys = [bytes([i]) * 32 for i in range(10)]
    batches = encrypted_batches(shards(), keys, most_bytes=300)
    first = next(batches)
    assert (len(first), asked) == (3, [0, 1, 2])
    sealed = first | {i: one for batch in batches for i, one in batch.items()}
    assert sealed == {i: encrypt_shard(keys[i], i, bytes([i]) * 100) for i in range(10)}
    assert list(sealed) == list(range(10))
    assert list(encrypted_batches([], [])) == []
