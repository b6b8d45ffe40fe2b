"""CIDs computed here are the ones that IPFS tools give the same bytes."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from offchain.storage import (
    DAG_PB,
    RAW,
    InvalidCid,
    cid_from_digest,
    cid_of,
    codec_of,
    digest_of,
    raw_block_cid,
)


@pytest.mark.parametrize(
    ("data", "cid"),
    [
        (b"", "bafybeif7ztnhq65lumvvtr4ekcwd2ifwgm3awq4zfr3srh462rwyinlb4y"),
        (b"hello world", "bafybeihykld7uyxzogax6vgyvag42y7464eywpf55gxi5qpoisibh3c5wa"),
    ],
)
def test_well_known_files_have_their_published_cid(data, cid):
    """`ipfs add` prints QmbFMke1KX... and Qmf412jQZi...; these are their version 1."""
    assert cid_of(data) == cid


def test_a_raw_block_has_the_published_cid():
    """`ipfs add --raw-leaves --cid-version=1` of the five bytes of "hello"."""
    cid = "bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"
    assert raw_block_cid(b"hello") == cid
    assert digest_of(cid) == hashlib.sha256(b"hello").digest()
    assert codec_of(cid) == RAW


@given(st.binary(min_size=32, max_size=32), st.sampled_from([DAG_PB, RAW]))
def test_digest_and_codec_are_all_there_is_to_a_cid(digest, codec):
    """A contract that stores 32 bytes loses nothing but the codec."""
    cid = cid_from_digest(digest, codec)
    assert (digest_of(cid), codec_of(cid)) == (digest, codec)


@pytest.mark.parametrize("size", [0, 262_144, 262_145])
def test_a_digest_alone_finds_content_of_any_size(size):
    cid = cid_of(bytes(size))
    assert cid_from_digest(digest_of(cid)) == cid


@given(st.text(max_size=70))
def test_text_that_is_no_cid_is_refused(text):
    with pytest.raises(InvalidCid):
        digest_of(text)


@pytest.mark.parametrize("change", ["upper", "padding", "bits", "long", "version 0"])
def test_a_cid_has_one_spelling(change):
    """Two spellings of one address could slip past a comparison of addresses."""
    cid = cid_of(b"x")
    spelling = {
        "upper": cid.upper(),
        "padding": cid + "=",
        "bits": cid[:-1] + chr(ord(cid[-1]) + 1),
        "long": cid + "aa",
        "version 0": "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH",
    }[change]
    with pytest.raises(InvalidCid):
        digest_of(spelling)


@pytest.mark.parametrize(("digest", "codec"), [(bytes(31), DAG_PB), (bytes(32), "dag-json")])
def test_what_gives_no_cid_is_refused(digest, codec):
    with pytest.raises(InvalidCid):
        cid_from_digest(digest, codec)
