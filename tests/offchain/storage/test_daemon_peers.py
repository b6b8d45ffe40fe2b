"""An embedded node and a real daemon that know each other: content and messages both ways."""

from __future__ import annotations

import os

import pytest

from offchain.post import NodePost, Topic
from offchain.storage import ContentMissing, ContentTooLarge, Network, cid_of
from offchain.storage.embedded import EmbeddedDatastore
from offchain.storage.ipfs import IpfsDatastore
from tests.kit.ipfs_daemon import running_daemon
from tests.kit.strangers import awaited
from tests.kit.wallets import KeyWallet, recover

TOPIC = Topic(1, "0x" + "11" * 20, b"\7" * 32)
LARGE = os.urandom(700_000)
"""More than two blocks."""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory):
    with running_daemon(tmp_path_factory.mktemp("daemon"), peers=True) as address:
        yield address


@pytest.fixture
def daemon(endpoint):
    with IpfsDatastore(endpoint, timeout=20) as store:
        yield store


@pytest.fixture
def embedded(tmp_path):
    with EmbeddedDatastore(tmp_path / "own", timeout=20, network=Network()) as store:
        yield store


def test_what_one_stores_the_other_gets_and_keeps(daemon, embedded):
    """The daemon was told the embedded node's address, which is enough for both."""
    daemon.connect(embedded.addresses)
    assert daemon.get(embedded.put(LARGE), len(LARGE)) == LARGE
    assert embedded.get(daemon.put(LARGE[1:])) == LARGE[1:]
    cid = daemon.put(LARGE[2:])
    embedded.pin(cid)
    daemon.remove(cid)
    assert embedded.get(cid) == LARGE[2:]
    embedded.probe(daemon.put(LARGE[3:]), 1)
    daemon.probe(embedded.put(LARGE[4:]), 1)
    assert daemon.lost([cid], 0) == [cid]
    assert embedded.lost([cid], 0) == []
    many = embedded.put_many([i.to_bytes(4, "big") for i in range(50)])
    assert list(daemon.get_many(many, 4)) == [i.to_bytes(4, "big") for i in range(50)]


def test_the_embedded_node_is_told_the_daemons_address(daemon, embedded):
    (address,) = daemon.addresses
    assert address.startswith("/ip4/127.0.0.1/tcp/")
    embedded.connect([address])
    assert embedded.get(daemon.put(b"hello")) == b"hello"
    with pytest.raises(ContentTooLarge):
        embedded.get(daemon.put(LARGE + b"more"), 1_000)


def test_a_peer_that_starts_again_is_found_again(daemon, tmp_path):
    """It does not know the daemon, which has to call."""
    with EmbeddedDatastore(tmp_path / "own", network=Network()) as first:
        addresses = first.addresses
        daemon.connect(addresses)
        assert daemon.get(first.put(b"before")) == b"before"
    with EmbeddedDatastore(tmp_path / "own", network=Network()) as again:
        assert again.addresses == addresses
        late = again.put(b"after")
        assert daemon.get(late) == b"after"


def test_what_nobody_has_is_missing(endpoint, embedded):
    with IpfsDatastore(endpoint, timeout=2) as hasty:
        hasty.connect(embedded.addresses)
        with pytest.raises(ContentMissing):
            hasty.get(cid_of(b"nowhere"))


def test_letters_go_both_ways(daemon, embedded):
    daemon.connect(embedded.addresses)
    anna = NodePost(daemon, TOPIC, KeyWallet("anna"), recover, None)
    bert = NodePost(embedded, TOPIC, KeyWallet("bert"), recover, None)
    anna.send(bytes(range(256)))
    bert.send(bytes(4_096))
    bodies = {bytes(range(256)), bytes(4_096)}
    for post in (anna, bert):
        awaited("both letters", lambda post=post: {one.body for one in post.letters()} == bodies)
        post.close()
