"""Manifests come from strangers: what does not fit is refused in one line, before it is used."""

import json

import pytest

from offchain.crypto.commitments import root_of
from offchain.data.shards import MAX_SHARD_BYTES
from offchain.hyperx import manifest as mf
from offchain.hyperx.manifest import Manifest, ManifestError
from offchain.models.canonical import to_canonical
from offchain.storage import (
    ContentMissing,
    ContentTooLarge,
    cid_from_digest,
    cid_of,
    digest_of,
)
from tests.kit.memory_store import MemoryStore
from tests.offchain.hyperx.small_market import ANNA, BERT, SHARDS, SessionInMemory, make_terms

WORDS = [bytes([i]) * 32 for i in range(SHARDS)]
TASK = cid_from_digest(make_terms().task)


@pytest.fixture
def store():
    return MemoryStore({})


def words_cid():
    return cid_of(b"".join(WORDS))


def manifest(**changes):
    fields = {
        "name": "pets",
        "task": TASK,
        "licence": "CC-BY-4.0",
        "shape": (1, 28, 28),
        "shard_count": SHARDS,
        "shard_size": 3,
        "shard_bytes": 2000,
        "total_bytes": 23_000,
        "key_leaves": words_cid(),
        "addresses": words_cid(),
    }
    return Manifest(**(fields | changes))


def document(**changes):
    """The JSON of a good manifest with `changes`; ... as a value takes the field out."""
    fields = json.loads(manifest().to_bytes()) | changes
    return to_canonical({name: value for name, value in fields.items() if value is not ...})


@pytest.mark.parametrize("published", [True, False])
def test_a_manifest_is_found_again_by_what_was_registered(store, published):
    terms = make_terms(published_addresses=published)
    written = manifest() if published else manifest(addresses=None)
    digest = mf.publish_manifest(store, written)
    assert len(digest) == 32
    assert mf.fetch_manifest(store, digest, terms) == written


HOSTILE = {
    "empty": b"",
    "no JSON": b"\xff\x00",
    "a list": b"[]",
    "a missing field": document(shape=...),
    "an extra field": document(free="text"),
    "another format": document(format="souk.manifest.v2"),
    "too few shards": document(shard_count=SHARDS - 1),
    "too many shards": document(shard_count=SHARDS + 1),
    "another shard size": document(shard_size=4),
    "a count that is a float": document(shard_count=12.0),
    "a count that is a bool": document(shard_size=True),
    "a count that is text": document(shard_count="12"),
    "a shard of nothing": document(shard_bytes=0),
    "a shard too large": document(shard_bytes=MAX_SHARD_BYTES + 1, total_bytes=10**9),
    "more in all than the shards have": document(total_bytes=SHARDS * 2000 + 1),
    "less in all than one shard has": document(total_bytes=1999),
    "bytes of 4,000 digits": document(shard_bytes=10**4000),
    "bytes in all of 4,000 digits": document(total_bytes=10**4000),
    "bytes that are a float": document(total_bytes=23_000.0),
    "a negative side": document(shape=[1, -28, 28]),
    "a side of zero": document(shape=[1, 0, 28]),
    "a side too long": document(shape=[1, 4097, 28]),
    "a count of 4,000 digits": document(shard_count=10**4000),
    "a side of 4,000 digits": document(shape=[1, 28, 10**4000]),
    "a bool as side": document(shape=[True, 28, 28]),
    "two channels": document(shape=[2, 28, 28]),
    "two dimensions": document(shape=[28, 28]),
    "four dimensions": document(shape=[1, 1, 28, 28]),
    "a shape of text": document(shape=["1", "28", "28"]),
    "another task": document(task=words_cid()),
    "a task that is no CID": document(task="the task"),
    "a task of 100,000 characters": document(task="b" * 100_000),
    "a task that is a number": document(task=5),
    "a licence that is a list": document(licence=["CC-BY-4.0"]),
    "no CID": document(key_leaves="../../etc/passwd"),
    "a CID of version 0": document(key_leaves="QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"),
    "addresses that are no CID": document(addresses="b"),
    "an empty string for addresses": document(addresses=""),
    "hidden addresses": document(addresses=None),
    "NaN": document().replace(b'"shard_size":3', b'"shard_size":NaN'),
    "infinity": document().replace(b'"shard_size":3', b'"shard_size":1e999'),
    "a space": document().replace(b":", b": ", 1),
    "a line break at the end": document() + b"\n",
    "another order": json.dumps(dict(reversed(json.loads(document()).items()))).encode(),
    "a field twice": document()[:-1] + b',"shard_size":3}',
    "another spelling of a number": document().replace(b'"shard_size":3', b'"shard_size":3.0'),
    "a name that is a number": document(name=5),
    "too long": document(name="x" * (256 << 10)),
    "deep brackets": b"[" * 100_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_manifest_is_refused_in_one_line(store, case):
    digest = digest_of(store.put(HOSTILE[case]))
    with pytest.raises((ManifestError, ContentTooLarge)) as caught:
        mf.fetch_manifest(store, digest, make_terms())
    assert "\n" not in str(caught.value)
    assert 0 < len(str(caught.value)) < 300


@pytest.mark.parametrize(("largest", "total"), [(1, SHARDS), (2000, 2000), (2000, SHARDS * 2000)])
def test_the_bytes_in_all_are_those_that_so_many_shards_may_have(largest, total):
    written = document(shard_bytes=largest, total_bytes=total)
    assert Manifest.from_bytes(written, make_terms()).total_bytes == total


def test_shown_addresses_are_refused_where_the_terms_want_them_hidden():
    with pytest.raises(ManifestError, match="the terms want addresses hidden"):
        Manifest.from_bytes(document(), make_terms(published_addresses=False))


def test_a_manifest_larger_than_one_block_is_not_written():
    with pytest.raises(ManifestError, match="bytes, at most 262144"):
        manifest(name="x" * (256 << 10)).to_bytes()


def test_a_manifest_that_is_not_there_is_said_to_be_missing(store):
    with pytest.raises(ContentMissing):
        mf.fetch_manifest(store, bytes(32), make_terms())


def test_words_are_read_back_and_no_other_number_of_them(store):
    cid = mf.put_words(store, WORDS)
    assert mf.fetch_words(store, cid, SHARDS) == WORDS
    with pytest.raises(ManifestError, match=f"has 384 bytes, needs {SHARDS + 1} words of 32"):
        mf.fetch_words(store, cid, SHARDS + 1)
    with pytest.raises(ContentTooLarge):
        mf.fetch_words(store, cid, SHARDS - 1)


def test_key_leaves_must_make_the_registered_root(store):
    mf.put_words(store, WORDS)
    assert mf.fetch_key_leaves(store, manifest(), root_of(WORDS)) == WORDS
    with pytest.raises(ManifestError, match="key leaves do not make the registered root"):
        mf.fetch_key_leaves(store, manifest(), root_of(WORDS[::-1]))


def test_addresses_must_make_a_root_that_names_their_provider(store):
    """Bert copies Anna's root and manifest: with her name in the leaves they are not his."""
    mf.put_words(store, WORDS)
    session = SessionInMemory(make_terms()).session()
    annas, berts = session.party(ANNA), session.party(BERT)
    root = root_of(annas.address_leaves(WORDS))
    assert mf.fetch_addresses(store, manifest(), annas, root) == WORDS
    with pytest.raises(ManifestError, match="the address root this provider registered"):
        mf.fetch_addresses(store, manifest(), berts, root)
    with pytest.raises(ManifestError, match="hides"):
        mf.fetch_addresses(store, manifest(addresses=None), annas, root)
