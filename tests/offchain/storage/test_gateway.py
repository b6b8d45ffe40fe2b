"""Gateways are read from where no node has the content, and not believed."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable

import pytest

from offchain.storage import (
    ContentCorrupted,
    ContentMalformed,
    ContentMissing,
    ContentTooLarge,
    DatastoreUnavailable,
    Network,
    cid_from_digest,
    cid_of,
    open_datastore,
    raw_block_cid,
)
from offchain.storage import gateway as module
from offchain.storage.embedded import EmbeddedDatastore
from offchain.storage.gateway import Gateway
from offchain.storage.helped import HELP, Help, HelpedNode
from tests.kit.http_endpoint import drip, reply, trickle
from tests.kit.memory_store import MemoryStore

LARGE = os.urandom(700_000)
"""More than two blocks."""


@pytest.fixture
def blocks(tmp_path) -> Callable[[bytes], dict[str, bytes]]:
    """The blocks of a file, by CID, as a node has them."""

    def made(data: bytes) -> dict[str, bytes]:
        with EmbeddedDatastore(tmp_path / "made") as store:
            store.put(data)
            files = (tmp_path / "made" / "blocks").glob("*/*.data")
            found = [file.read_bytes() for file in files]
        return {cid_from_digest(hashlib.sha256(one).digest()): one for one in found}

    return made


def serving(blocks: dict[str, bytes], asked: list[str] | None = None):
    def answer(handler) -> None:
        cid = handler.path.partition("?")[0].removeprefix("/ipfs/")
        assert handler.path.endswith("?format=raw")
        if asked is not None:
            asked.append(cid)
        reply(blocks[cid])(handler) if cid in blocks else reply(b"", 404)(handler)

    return answer


@pytest.mark.parametrize("data", [LARGE, b"small", b""], ids=["large", "small", "empty"])
def test_content_comes_block_by_block(endpoint, blocks, data):
    gateway = Gateway(endpoint(serving(blocks(data))))
    assert gateway.get(cid_of(data)) == data
    assert gateway.get(cid_of(data), len(data)) == data


def test_a_bare_block_is_content_too(endpoint):
    block = b"a block of another tool's"
    gateway = Gateway(endpoint(serving({raw_block_cid(block): block})))
    assert gateway.get(raw_block_cid(block)) == block
    with pytest.raises(ContentTooLarge):
        gateway.get(raw_block_cid(block), 5)


@pytest.mark.parametrize("which", range(4))
def test_a_lie_about_any_block_is_found(endpoint, blocks, which):
    true, asked = blocks(LARGE), list[str]()
    assert Gateway(endpoint(serving(true, asked))).get(cid_of(LARGE)) == LARGE
    cid = asked[which]
    lie = {**true, cid: true[cid][:-1] + bytes([true[cid][-1] ^ 1])}
    with pytest.raises(ContentCorrupted, match="answers other content"):
        Gateway(endpoint(serving(lie))).get(cid_of(LARGE))


def test_content_above_the_bound_is_not_read_to_its_end(endpoint, blocks):
    asked: list[str] = []
    gateway = Gateway(endpoint(serving(blocks(LARGE), asked)))
    with pytest.raises(ContentTooLarge):
        gateway.get(cid_of(LARGE), len(LARGE) - 1)
    assert len(asked) == 1


def test_a_tree_of_many_paths_is_left_in_time(endpoint):
    """Forty levels of two links to the same block are a million million paths to nothing."""
    from offchain.storage import unixfs

    node = unixfs._leaf(b"")
    block = unixfs._bytes_field(1, unixfs._FILE + unixfs._number_field(3, 0))
    tree = {cid_from_digest(node.digest): block}
    for _ in range(40):
        link = unixfs._bytes_field(1, b"\x12\x20" + hashlib.sha256(block).digest())
        block = unixfs._bytes_field(2, link) * 2 + unixfs._bytes_field(
            1, unixfs._FILE + unixfs._number_field(3, 0)
        )
        tree[cid_from_digest(hashlib.sha256(block).digest())] = block
    with pytest.raises(ContentMalformed, match="not as large as it says"):
        Gateway(endpoint(serving(tree))).get(cid_from_digest(hashlib.sha256(block).digest()))


def test_who_sends_without_end_is_left(endpoint, monkeypatch):
    monkeypatch.setattr(module, "MAX_BLOCK_BYTES", 100_000)
    with pytest.raises(ContentCorrupted, match="more than a block"):
        Gateway(endpoint(drip)).get(cid_of(b"x"))
    begun = time.monotonic()
    monkeypatch.setattr(module, "MAX_BLOCK_BYTES", 10**9)
    for slow in (drip, trickle):
        with pytest.raises(ContentMissing, match=r"within 0\.5 s"):
            Gateway(endpoint(slow), timeout=0.5).get(cid_of(b"x"))
    assert time.monotonic() - begun < 5


def test_who_has_it_not_or_does_not_answer_is_told(endpoint):
    with pytest.raises(ContentMissing, match="answers 404"):
        Gateway(endpoint(serving({}))).get(cid_of(b"x"))
    with pytest.raises(ContentMissing, match="ConnectionError"):
        Gateway("http://127.0.0.1:9").get(cid_of(b"x"))
    with pytest.raises(DatastoreUnavailable, match=r"not at 'ipfs\.io'"):
        Gateway("ipfs.io")


def test_the_next_gateway_is_asked_and_the_node_first(endpoint, blocks):
    true = blocks(LARGE)
    lie = {cid_of(LARGE): b"another block"}
    asked: list[str] = []
    gateways = [Gateway(endpoint(serving(lie))), Gateway(endpoint(serving(true, asked)))]
    node = MemoryStore({})
    store = HelpedNode(node, gateways, [])
    own = store.put(b"own")
    assert list(store.get_many([own, cid_of(LARGE), own], 1_000_000)) == [b"own", LARGE, b"own"]
    assert cid_of(b"own") not in asked
    store.pin(cid_of(LARGE))
    assert node.get(cid_of(LARGE)) == LARGE
    with pytest.raises(ContentMissing, match="is not there"):
        store.get(cid_of(b"nowhere"))


def test_a_node_without_a_peer_reads_by_the_gateway_that_the_user_named(endpoint, blocks, tmp_path):
    kept = HELP.set(Help(gateways=(endpoint(serving(blocks(LARGE))),)))
    try:
        with open_datastore(None, tmp_path / "own", Network()) as store:
            assert store.get(cid_of(LARGE), len(LARGE)) == LARGE
    finally:
        HELP.reset(kept)


def test_what_a_gateway_has_counts_as_reachable(endpoint, blocks):
    true, asked = blocks(LARGE), list[str]()
    gateway = Gateway(endpoint(serving(true, asked)))
    store = HelpedNode(MemoryStore({}), [gateway], ())
    store.probe(cid_of(LARGE), 1)
    assert len(asked) == 2  # the root and one of three leaves
    with pytest.raises(ContentMissing):
        store.probe(cid_of(b"nowhere"), 1)
    lie = {**true, asked[1]: b"other bytes"}
    with pytest.raises(ContentMissing):
        HelpedNode(MemoryStore({}), [Gateway(endpoint(serving(lie)))], ()).probe(cid_of(LARGE), 1)
