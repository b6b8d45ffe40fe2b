"""Files whose every chunk can be disputed: read back as they were, refused when they are not."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offchain.crypto import commitments as cm
from offchain.crypto.disputable import (
    MAX_CHUNK_BYTES,
    MAX_CHUNKS,
    EncryptedFile,
    FileDomain,
    Shape,
    encrypt_chunks,
    encrypt_file,
    open_file,
)
from offchain.crypto.errors import FileError, SpoiltChunkError
from offchain.crypto.evidence import chunk_evidence, key_evidence
from offchain.crypto.keccak_stream import crypt, keystream, nonce
from offchain.crypto.sealing import FIELD, ORDER, new_secret, point_of

KEY = bytes(range(32))
DOMAIN = FileDomain(1, "0x" + "11" * 20, "0x" + "22" * 20, b"\x07" * 32)
CONTENT = bytes(range(256)) * 3


def spoilt(file, place):
    data = bytearray(file.ciphertext)
    data[place] ^= 1
    return EncryptedFile(file.shape, bytes(data), file.plain_leaves)


@pytest.mark.parametrize("size", [0, 1, 23, 24, 25, 31, 32, 33, 64, 1000, 5000])
def test_a_file_is_read_back_as_it_was_at_any_size(size):
    """Also where the last chunk is shorter, or full, or the content empty."""
    content = random.Random(size).randbytes(size)
    file = EncryptedFile.from_bytes(encrypt_file(DOMAIN, KEY, content, 64).to_bytes())
    assert file.shape.length == size + 24 + 16  # nonce and tag
    assert open_file(DOMAIN, KEY, file) == content


def test_encrypting_again_gives_the_same_bytes():
    """So a seller that restarts publishes and commits to nothing new."""
    assert encrypt_file(DOMAIN, KEY, CONTENT) == encrypt_file(DOMAIN, KEY, CONTENT)


@pytest.mark.parametrize("chunk", [0, 5, 12])
def test_a_spoilt_chunk_is_named_though_the_commitment_fits(chunk):
    """The seller spoilt it before it committed: only the key shows it."""
    file = spoilt(encrypt_file(DOMAIN, KEY, CONTENT, 64), chunk * 64)
    file.require_committed(DOMAIN, file.commitment(DOMAIN))
    with pytest.raises(SpoiltChunkError, match=f"chunk {chunk} ") as caught:
        open_file(DOMAIN, KEY, file)
    assert caught.value.index == chunk


def test_another_key_opens_no_chunk():
    with pytest.raises(SpoiltChunkError, match="chunk 0 "):
        open_file(DOMAIN, KEY[::-1], encrypt_file(DOMAIN, KEY, CONTENT))


@pytest.mark.parametrize(
    "other",
    [
        FileDomain(2, DOMAIN.contract, DOMAIN.seller, DOMAIN.label),
        FileDomain(1, DOMAIN.seller, DOMAIN.seller, DOMAIN.label),
        FileDomain(1, DOMAIN.contract, DOMAIN.contract, DOMAIN.label),
        FileDomain(1, DOMAIN.contract, DOMAIN.seller, bytes(32)),
    ],
    ids=["chain", "contract", "seller", "label"],
)
def test_a_file_belongs_to_one_place(other):
    """Its commitment, its key's commitment and its chunks are worth nothing elsewhere."""
    file = encrypt_file(DOMAIN, KEY, CONTENT)
    assert file.commitment(other) != file.commitment(DOMAIN)
    assert other.key_hash(KEY) != DOMAIN.key_hash(KEY)
    with pytest.raises(FileError, match="committed is"):
        file.require_committed(other, file.commitment(DOMAIN))
    with pytest.raises(SpoiltChunkError):
        open_file(other, KEY, file)


def test_a_box_that_was_never_closed_is_refused_by_name():
    """All chunks are as committed, and what they hold is rubbish: no chunk is to blame."""
    with pytest.raises(FileError, match="box of 768 bytes does not open"):
        open_file(DOMAIN, KEY, encrypt_chunks(DOMAIN, KEY, CONTENT, 64))


def test_what_is_checked_before_paying_covers_every_byte():
    """A bit changed anywhere in what is published, and it is not the committed file."""
    file = encrypt_file(DOMAIN, KEY, CONTENT, 64)
    committed = file.commitment(DOMAIN)
    blob = file.to_bytes()
    for place in random.Random(1).sample(range(9, len(blob)), 60):
        changed = bytearray(blob)
        changed[place] ^= 1
        with pytest.raises(FileError):
            EncryptedFile.from_bytes(bytes(changed)).require_committed(DOMAIN, committed)


@pytest.mark.parametrize("cut", [0, 5, 20, 21, 100, 500, -1])
def test_a_file_cut_short_is_refused(cut):
    blob = encrypt_file(DOMAIN, KEY, CONTENT, 64).to_bytes()
    with pytest.raises(FileError, match="bytes"):
        EncryptedFile.from_bytes(blob[:cut])


@pytest.mark.parametrize("chunk_bytes", [0, 16, 33, MAX_CHUNK_BYTES + 32])
def test_chunks_out_of_bounds_are_refused_with_the_bounds(chunk_bytes):
    with pytest.raises(FileError, match=f"chunks of {chunk_bytes} bytes: needs a multiple of 32"):
        Shape(100, chunk_bytes)


@pytest.mark.parametrize("length", [0, MAX_CHUNKS * 32 + 1])
def test_files_out_of_bounds_are_refused_with_the_bounds(length):
    with pytest.raises(FileError, match=f"file of {length} bytes: needs 1 to {MAX_CHUNKS} chunks"):
        Shape(length, 32)
    assert Shape(MAX_CHUNKS * 32, 32).count == MAX_CHUNKS


def test_no_word_of_any_keystream_comes_twice():
    """FairSwap's published code used one between two positions, which shows a word of data.

    Two keys, two files, all chunks and places of both: no hash input, and so no word, is shared.
    """
    words = []
    for key in (KEY, KEY[::-1]):
        for root in (bytes(32), b"\1" * 32):
            stream = nonce(DOMAIN.digest, root)
            for chunk in range(40):
                whole = keystream(key, stream, chunk, 1024)
                words += [whole[i : i + 32] for i in range(0, 1024, 32)]
    assert len(set(words)) == len(words) == 2 * 2 * 40 * 32


def test_a_key_used_twice_leaks_nothing():
    """Two contents under one key and name: their ciphertexts do not cancel out."""
    one, two = (encrypt_chunks(DOMAIN, KEY, bytes([b]) * 640, 64) for b in (1, 2))
    mixed = bytes(a ^ b for a, b in zip(one.ciphertext, two.ciphertext, strict=True))
    assert bytes([3]) * 32 not in mixed
    assert len(set(one.plain_leaves) | set(two.plain_leaves)) == 20


def test_plain_leaves_hide_their_chunks_from_whoever_guesses_them():
    """They are published before the sale; ten equal chunks have ten different leaves per key."""
    leaves = [DOMAIN.plain_leaf(key, i, bytes(64)) for key in (KEY, KEY[::-1]) for i in range(10)]
    assert len(set(leaves)) == 20


@given(st.binary(min_size=1, max_size=200), st.integers(0, 2**20))
@settings(max_examples=60, deadline=None)
def test_the_cipher_undoes_itself(chunk, index):
    assert crypt(KEY, KEY, index, crypt(KEY, KEY, index, chunk)) == chunk


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9])
def test_evidence_leads_from_every_chunk_to_both_roots(count):
    """Rebuilt here as the contract does it, with as many siblings as the size asks for."""
    file = encrypt_chunks(DOMAIN, KEY, bytes(64 * count), 64)
    for index in range(count):
        length, chunk_bytes, i, chunk, plain, *paths = chunk_evidence(DOMAIN, file, index)
        assert (length, chunk_bytes, i) == (64 * count, 64, index)
        for node, path, leaves in (
            (DOMAIN.cipher_leaf(index, chunk), paths[0], file.cipher_leaves(DOMAIN)),
            (plain, paths[1], file.plain_leaves),
        ):
            place, width, siblings = index, count, list(path)
            while width > 1:
                if place % 2 or place + 1 < width:
                    other = siblings.pop(0)
                    node = cm.keccak(other + node if place % 2 else node + other)
                place, width = place // 2, -(-width // 2)
            assert (node, siblings) == (cm.root_of(leaves), [])


def test_evidence_of_a_key_is_made_whatever_the_seller_named():
    """A point, an x beyond the order, on no point, or beyond the field."""
    secret = new_secret()
    ephemeral = point_of(5)
    for mine in (secret, ORDER - secret):
        even, *evidence = key_evidence(mine, ephemeral.x, KEY)
        assert even in (secret, ORDER - secret)
        assert point_of(even).y % 2 == 0
        assert evidence[:3] == [ephemeral.x, KEY, point_of(secret * 5 % ORDER).x]
    for x in (5, FIELD, 2**256 - 1):
        assert key_evidence(secret, x, KEY)[3:] == (0, 0)


def test_progress_is_told_chunk_by_chunk():
    seen = []
    file = encrypt_chunks(DOMAIN, KEY, bytes(300), 64, lambda *p: seen.append(p))
    assert seen == [(i, 5) for i in range(1, 6)]
    seen.clear()
    with pytest.raises(FileError):
        open_file(DOMAIN, KEY, file, lambda *p: seen.append(p))
    assert seen == [(i, 5) for i in range(1, 6)]
