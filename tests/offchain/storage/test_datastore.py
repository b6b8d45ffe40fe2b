"""What every datastore does: one suite, run on the embedded node and on a real RPC daemon."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from offchain.storage import (
    ContentCorrupted,
    ContentMissing,
    ContentTooLarge,
    Datastore,
    DatastoreError,
    DatastoreUnavailable,
    InvalidCid,
    cid_from_digest,
    cid_of,
    digest_of,
    raw_block_cid,
    unixfs,
)
from offchain.storage.embedded import EmbeddedDatastore
from offchain.storage.flatfs import BlockFiles
from offchain.storage.ipfs import IpfsDatastore
from offchain.storage.probing import FEW
from tests.kit.ipfs_daemon import running_daemon

CHUNK = 262_144
TIMEOUT = 3.0

pytestmark = pytest.mark.filterwarnings("ignore:The 'strict' parameter:FutureWarning")


@dataclass(frozen=True)
class Storage:
    """A datastore and the folder in which its node keeps the block files."""

    store: Datastore
    repo: Path


@pytest.fixture(scope="module", params=["embedded", "rpc"])
def storage(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "embedded":
        with EmbeddedDatastore(folder, timeout=TIMEOUT) as store:
            yield Storage(store, folder)
    else:
        with running_daemon(folder) as address, IpfsDatastore(address, timeout=TIMEOUT) as store:
            yield Storage(store, folder / "repo")


@pytest.fixture(scope="module")
def store(storage):
    return storage.store


@contextmanager
def damaged(storage: Storage, digest: bytes, block: bytes | None) -> Iterator[None]:
    """Replaces a block file by other bytes, or by nothing, for a while."""
    file = BlockFiles(storage.repo).path(digest)
    before = file.read_bytes()
    if block is None:
        file.unlink()
    else:
        file.write_bytes(block)
    try:
        yield
    finally:
        file.write_bytes(before)


def content(size: int, seed: int) -> bytes:
    return np.random.default_rng([size, seed]).bytes(size)


@pytest.mark.parametrize("size", [0, 1, 5_000, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 175 * CHUNK])
def test_content_of_any_size_comes_back(store, size):
    """Also where it is cut: no byte, one chunk, several, and more than one node can link (174).

    The CID is the one computed here, so that all datastores give the same.
    """
    data = content(size, seed=1)
    cid = store.put(data)
    assert cid == cid_of(data)
    assert store.get(cid) == data


@given(st.binary(max_size=2_000))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_bytes_come_back(store, data):
    assert store.get(store.put(data)) == data


def test_many_items_come_back_in_order_and_progress_reaches_the_end(store):
    items = [content(100 + i, seed=2) for i in range(300)]
    items[7] = items[3]  # equal items are one content
    put = []
    cids = store.put_many(items, progress=lambda *step: put.append(step))
    assert cids == [cid_of(item) for item in items]
    assert list(store.get_many(cids)) == items
    assert put[-1] == (300, 300)


def test_of_many_items_those_before_a_missing_one_are_got(store):
    items = [content(100 + i, seed=14) for i in range(20)]
    cids = store.put_many(items)
    cids[12] = cid_of(b"never put anywhere, nor here")
    got = store.get_many(cids)
    assert [next(got) for _ in range(12)] == items[:12]
    with pytest.raises(ContentMissing, match=cids[12]):
        next(got)
    assert list(got) == []


def test_nothing_is_put_and_got_without_a_node_minding(store):
    assert store.put_many([]) == []
    assert list(store.get_many([])) == []


@pytest.mark.parametrize("call", ["get", "pin"])
@pytest.mark.parametrize("make", [cid_of, raw_block_cid])
def test_missing_content_is_named_within_the_timeout(store, call, make):
    cid = make(b"never put anywhere")
    start = time.monotonic()
    with pytest.raises(ContentMissing, match=f"{cid}.* {TIMEOUT:g} s"):
        getattr(store, call)(cid)
    assert time.monotonic() - start < TIMEOUT + 3


def test_a_missing_part_makes_the_content_missing_or_corrupted(storage):
    """A node that has the root but lost a chunk neither hangs nor answers a part."""
    data = content(2 * CHUNK, seed=3)
    cid = storage.store.put(data)
    lost = digest_of(cid_of(data[CHUNK:]))
    with (
        damaged(storage, lost, None),
        pytest.raises((ContentMissing, ContentCorrupted), match=cid),
    ):
        storage.store.get(cid)


@pytest.mark.parametrize("chunks", [1, 2])
def test_altered_content_is_not_handed_out(storage, chunks):
    """A disk or node that changes one byte of a chunk is caught."""
    data = content(chunks * CHUNK, seed=4)
    cid = storage.store.put(data)
    digest = digest_of(cid_of(data[-CHUNK:]))
    block = bytearray(BlockFiles(storage.repo).read(digest))
    block[1_000] ^= 1
    with (
        damaged(storage, digest, bytes(block)),
        pytest.raises((ContentCorrupted, DatastoreUnavailable), match=cid),
    ):
        storage.store.get(cid)


@pytest.mark.parametrize("call", ["get", "pin", "remove"])
@pytest.mark.parametrize("text", ["", "Qm", "bafy", "../../etc/passwd", "/ipfs/" + cid_of(b"")])
def test_text_that_is_no_cid_never_reaches_the_node(store, call, text):
    with pytest.raises(InvalidCid):
        getattr(store, call)(text)


@pytest.mark.parametrize("size", [10_000, 2 * CHUNK])
def test_a_bound_admits_content_of_just_its_size(store, size):
    data = content(size, seed=5)
    cid = store.put(data)
    assert store.get(cid, max_bytes=size) == data
    assert list(store.get_many([cid], max_bytes=size)) == [data]
    with pytest.raises(ContentTooLarge, match=f"{cid}.*{size - 1} bytes"):
        store.get(cid, max_bytes=size - 1)
    with pytest.raises(ContentTooLarge):
        list(store.get_many([cid], max_bytes=size - 1))


@pytest.mark.parametrize("size", [1_000, 2 * CHUNK])
def test_removed_content_is_missing_until_it_is_put_again(store, size):
    data = content(size, seed=6)
    cid = store.put(data)
    store.remove(cid)
    with pytest.raises(ContentMissing):
        store.get(cid)
    store.remove(cid)  # nothing is left to remove, and that is no error
    assert store.put(data) == cid
    assert store.get(cid) == data


@pytest.mark.parametrize("size", [100, 3 * CHUNK])
def test_what_the_node_lost_is_told_and_can_be_stored_again(storage, size):
    """Its own answer alone counts, and what its disk lost underneath it is not believed there."""
    store = storage.store
    data, other = bytes([size % 251]) * size, b"another's" * (size % 7 + 1)
    cids = store.put_many([data, other])
    assert store.lost(cids, 5) == []
    BlockFiles(storage.repo).path(digest_of(cids[0])).unlink()
    assert store.lost(cids, 5) == cids[:1]
    assert store.put(data) == cids[0]
    assert store.lost(cids, 5) == []
    assert store.get(cids[0]) == data


def test_a_probe_reads_the_block_that_is_drawn(storage):
    data = b"".join(bytes([i]) * CHUNK for i in range(1, 4))
    cid = storage.store.put(data)
    leaf = unixfs.root_digest(data[CHUNK : 2 * CHUNK])
    with damaged(storage, leaf, None):
        for draw, there in ((0, True), (2, True), (3, True), (4, False)):
            if there:
                storage.store.probe(cid, draw)
            else:
                with pytest.raises((ContentMissing, ContentCorrupted)):
                    storage.store.probe(cid, draw)
            assert storage.store.lost([cid], draw) == [cid]
    storage.store.probe(cid, 1)


def test_of_few_blocks_all_are_looked_at_and_of_many_the_drawn_one(storage):
    """A document that lacks a part is stored again at once, and a shard costs one block."""
    data = b"".join(bytes([i]) * CHUNK for i in range(1, FEW + 2))
    few, many = storage.store.put(data[CHUNK:]), storage.store.put(data)
    with damaged(storage, unixfs.root_digest(data[CHUNK : 2 * CHUNK]), None):
        assert storage.store.lost([few, many], 0) == [few]
        assert storage.store.lost([few, many], 1) == [few, many]


def test_removal_takes_one_item_out_of_many(store):
    items = [content(500, seed) for seed in (7, 8, 9)]
    cids = store.put_many(items)
    store.remove(cids[1])
    with pytest.raises(ContentMissing):
        store.get(cids[1])
    assert list(store.get_many([cids[0], cids[2]])) == [items[0], items[2]]
    store.remove(cids[0])
    assert store.get(cids[2]) == items[2]


@pytest.mark.parametrize("removed", ["whole", "part"])
def test_removal_spares_blocks_that_other_content_uses(store, removed):
    """The first chunk of a file is at the same time a file that someone put."""
    whole = content(2 * CHUNK, seed=10)
    part = whole[:CHUNK]
    cids = {"whole": store.put(whole), "part": store.put(part)}
    store.remove(cids.pop(removed))
    ((kept, cid),) = cids.items()
    assert store.get(cid) == {"whole": whole, "part": part}[kept]


def test_pinning_twice_is_fine(store):
    cid = store.put(content(1_000, seed=11))
    store.pin(cid)
    store.pin(cid)
    store.remove(cid)
    with pytest.raises(ContentMissing):
        store.get(cid)


def test_the_digest_on_chain_finds_the_content(store):
    data = content(CHUNK + 5, seed=12)
    assert store.get(cid_from_digest(digest_of(store.put(data)))) == data


def test_all_errors_are_one_kind(store):
    """A caller catches DatastoreError and has caught everything."""
    for cid in (cid_of(b"absent"), "nonsense"):
        with pytest.raises(DatastoreError):
            store.get(cid)
