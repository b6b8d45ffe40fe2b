"""Two embedded nodes that know each other: what one has the other gets."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from offchain.storage import (
    ContentMissing,
    ContentTooLarge,
    DatastoreUnavailable,
    Network,
    cid_of,
)
from offchain.storage.embedded import EmbeddedDatastore
from offchain.storage.kubo_worker import MOST_FETCHES

LARGE = os.urandom(700_000)
"""More than two blocks."""


@pytest.fixture
def anna(tmp_path):
    with EmbeddedDatastore(tmp_path / "anna", network=Network()) as store:
        yield store


@pytest.fixture
def bert(tmp_path, anna):
    """Knows Anna; Anna does not know him until he calls."""
    network = Network(peers=anna.addresses)
    with EmbeddedDatastore(tmp_path / "bert", timeout=5, network=network) as store:
        yield store


def test_what_one_stores_the_other_gets_and_keeps(anna, bert, tmp_path):
    """Both ways, though only one of them called."""
    cid = anna.put(LARGE)
    assert bert.get(cid) == LARGE
    assert anna.get(bert.put(b"an answer")) == b"an answer"
    many = anna.put_many([i.to_bytes(4, "big") for i in range(50)])
    assert list(bert.get_many(many, 4)) == [i.to_bytes(4, "big") for i in range(50)]
    bert.pin(cid)
    bert.close()
    with EmbeddedDatastore(tmp_path / "bert") as alone:
        assert alone.get(cid) == LARGE


def test_an_address_names_the_node_and_stays_when_it_starts_again(anna, bert, tmp_path):
    """Whoever was told it finds the node again, and calls until it does."""
    (address,) = anna.addresses
    assert re.fullmatch(r"/ip4/127\.0\.0\.1/tcp/\d+/p2p/\w+", address)
    assert bert.get(anna.put(b"before")) == b"before"
    anna.close()
    with EmbeddedDatastore(tmp_path / "anna", network=Network()) as again:
        assert again.addresses == (address,)
        late = again.put(b"after")
        bert.timeout = 20
        assert bert.get(late) == b"after"


def test_a_probe_fetches_one_block_and_those_above_it(anna, bert, tmp_path):
    cid = anna.put(LARGE)
    bert.probe(cid, 1)
    here = [one.stat().st_size for one in (tmp_path / "bert" / "blocks").glob("*/*.data")]
    assert sum(size > 100_000 for size in here) == 1
    assert bert.lost([cid], 0) == [cid]  # one block is not the content
    bert.pin(cid)
    assert bert.lost([cid], 0) == []
    with pytest.raises(ContentMissing):
        bert.probe(cid_of(b"nowhere"), 0)


def test_content_that_nobody_has_is_missing(bert, anna):
    with pytest.raises(ContentMissing):
        bert.get(cid_of(b"nowhere"))
    assert bert.get(anna.put(b"somewhere")) == b"somewhere"


def test_content_above_the_bound_is_not_fetched_to_its_end(anna, bert):
    cid = anna.put(LARGE)
    with pytest.raises(ContentTooLarge, match="more than the 1000 bytes"):
        bert.get(cid, 1000)
    assert bert.get(anna.put(b"small"), 1000) == b"small"


def threads(store: EmbeddedDatastore) -> int:
    """Of the process that runs the node."""
    assert store._node is not None
    status = Path(f"/proc/{store._node._process.pid}/status").read_text()
    return int(re.search(r"Threads:\s+(\d+)", status)[1])


def test_content_that_never_comes_does_not_pile_up(anna, bert):
    """Nothing ends a fetch but the node's end, which its owner does not notice."""
    here = bert.get(anna.put(b"here"))
    bert.timeout = 1.02
    most = 0
    for i in range(2 * MOST_FETCHES):
        with pytest.raises(ContentMissing):
            bert.get(cid_of(i.to_bytes(4, "big")))
        most = max(most, threads(bert))
    assert most < 1.5 * MOST_FETCHES
    bert.timeout = 20
    assert bert.get(anna.put(here + b" still")) == b"here still"


def test_content_above_the_bound_is_not_fetched_though_nobody_waits_for_it(anna, bert):
    """What `get_many` fetches ahead, and what came too late, grows while others are waited for."""
    cids = [cid_of(b"nowhere"), anna.put(LARGE)]
    bert.timeout = 4
    with pytest.raises(ContentMissing):
        list(bert.get_many(cids, 1_000))
    assert not list((bert.repo / "spool").glob(f"fetched-{cids[1]}"))
    bert.timeout = 20
    assert bert.get(anna.put(b"small"), 1_000) == b"small"
    assert bert.get(cids[1]) == LARGE


def test_without_a_peer_nobody_is_blamed_for_what_is_missing(tmp_path):
    with (
        EmbeddedDatastore(tmp_path / "carl", timeout=3, network=Network()) as alone,
        pytest.raises(DatastoreUnavailable, match="connected to no peer"),
    ):
        alone.get(cid_of(b"nowhere"))


def test_a_peer_learned_later_is_called(tmp_path, anna):
    with EmbeddedDatastore(tmp_path / "dora", timeout=10, network=Network()) as dora:
        dora.connect(anna.addresses)
        assert dora.get(anna.put(b"hello")) == b"hello"


def test_without_a_network_there_is_no_address(tmp_path):
    with EmbeddedDatastore(tmp_path / "emil") as store:
        assert store.addresses == ()
        store.connect(["/ip4/192.0.2.1/tcp/4001/p2p/QmWhoever"])
        with pytest.raises(ContentMissing, match="without network"):
            store.get(cid_of(b"nowhere"))
