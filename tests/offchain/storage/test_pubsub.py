"""Messages between nodes: embedded ones, a daemon's, and what endpoints say that carry none."""

from __future__ import annotations

import base64
import json
import time

import pytest

from offchain.storage import DatastoreUnavailable, Network, PubsubOff
from offchain.storage.embedded import EmbeddedDatastore
from offchain.storage.inbox import MOST_OF_ONE
from offchain.storage.ipfs import IpfsDatastore
from offchain.storage.ipfs_pubsub import encoded
from offchain.storage.pubsub import MAX_MESSAGE_BYTES
from tests.kit.http_endpoint import reply
from tests.kit.ipfs_daemon import running_daemon
from tests.kit.strangers import awaited

TOPIC = "topic/with + signs"
BYTES = bytes(range(256)) * 16
"""With zeros and line ends."""


@pytest.fixture
def anna(tmp_path):
    with EmbeddedDatastore(tmp_path / "anna", network=Network()) as store:
        yield store


@pytest.fixture
def bert(tmp_path, anna):
    network = Network(peers=anna.addresses)
    with EmbeddedDatastore(tmp_path / "bert", network=network) as store:
        yield store


def heard(sender, listener, message: bytes) -> None:
    """Says it until it is heard: who just listens is not known to the others yet."""
    listener.received(TOPIC)

    def look() -> bool:
        sender.publish(TOPIC, message)
        return message in listener.received(TOPIC)

    awaited(f"{message[:20]!r}", look)


def test_messages_go_both_ways_and_come_once(anna, bert):
    heard(anna, bert, BYTES)
    heard(bert, anna, BYTES)
    time.sleep(0.5)
    bert.received(TOPIC)
    anna.publish(TOPIC, b"last")
    time.sleep(1)
    assert bert.received(TOPIC) == [b"last"]
    assert bert.received(TOPIC) == []


def test_other_topics_are_not_heard_and_long_messages_dropped(anna, bert):
    heard(anna, bert, b"ready")
    anna.publish("another", b"elsewhere")
    anna.publish(TOPIC, bytes(MAX_MESSAGE_BYTES + 1))
    heard(anna, bert, bytes(MAX_MESSAGE_BYTES))
    assert set(bert.received(TOPIC)) <= {bytes(MAX_MESSAGE_BYTES)}


def test_who_removed_content_is_still_reached_and_still_listens(anna, bert):
    """The library must start anew then: at the same address, and with the same topics."""
    heard(bert, anna, b"before")
    addresses = anna.addresses
    anna.remove(anna.put(b"gone"))
    anna.put(b"stays")
    assert anna.addresses == addresses
    heard(bert, anna, b"after")
    assert bert.get(anna.put(b"content"), 100) == b"content"


def test_who_does_not_listen_for_long_keeps_a_share_and_no_more(anna, bert):
    heard(bert, anna, b"ready")
    for i in range(2 * MOST_OF_ONE):
        bert.publish(TOPIC, i.to_bytes(4, "big"))
    time.sleep(1)
    came = [one for _ in range(20) for one in anna.received(TOPIC)]
    assert len(came) == MOST_OF_ONE


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    with running_daemon(tmp_path_factory.mktemp("daemon")) as address:
        yield address


def test_a_daemon_carries_messages(daemon):
    with IpfsDatastore(daemon) as one, IpfsDatastore(daemon) as other:
        heard(one, other, BYTES)
        heard(other, one, BYTES)


NOT_ENABLED = {
    "Message": "experimental pubsub feature not enabled, "
    "run daemon with --enable-pubsub-experiment to use",
    "Code": 0,
    "Type": "error",
}
"""What Kubo answers to each of these calls, with status 500."""


def test_a_daemon_with_pubsub_off_is_told_by_what_turns_it_on(endpoint):
    store = IpfsDatastore(endpoint(reply(json.dumps(NOT_ENABLED).encode(), 500)))
    for call in (lambda: store.received(TOPIC), lambda: store.publish(TOPIC, b"x")):
        with pytest.raises(PubsubOff, match="start it with --enable-pubsub-experiment"):
            call()


def told(message: bytes) -> bytes:
    """A message as Kubo tells it."""
    data = "u" + base64.urlsafe_b64encode(message).decode().rstrip("=")
    fields = {"from": "QmSomebody", "data": data, "seqno": "uAAA", "topicIDs": [encoded(TOPIC)]}
    return json.dumps(fields).encode() + b"\n"


def test_rubbish_among_messages_is_passed_over_and_a_new_connection_made(endpoint, impatient):
    """Each connection tells a few lines and ends."""
    lines = b"{}\n" + told(b"one") + b"no json\n[1]\n" + b'{"data":"zAAA"}\n' + told(b"two")
    subscribed = []

    def answer(handler) -> None:
        if handler.path.startswith("/api/v0/pubsub/sub"):
            subscribed.append(handler.path)
            reply(lines)(handler)
        else:
            reply(b'{"Strings":[]}')(handler)

    store = IpfsDatastore(endpoint(answer))
    store.received(TOPIC)
    awaited("a new connection", lambda: len(subscribed) > 1)
    assert f"arg={encoded(TOPIC)}" in subscribed[0]
    assert store.received(TOPIC)[:2] == [b"one", b"two"]
    store.close()


def test_a_line_without_end_is_not_kept(endpoint, impatient):
    def answer(handler) -> None:
        if handler.path.startswith("/api/v0/pubsub/sub"):
            reply(b"x" * 1_000_000 + b"\n" + told(b"never read"))(handler)
        else:
            reply(b'{"Strings":[]}')(handler)

    store = IpfsDatastore(endpoint(answer))
    store.received(TOPIC)
    time.sleep(0.5)
    assert store.received(TOPIC) == []
    store.close()


def test_a_daemon_that_went_away_is_told(endpoint, impatient):
    up = [True]

    def answer(handler) -> None:
        if not up[0]:
            handler.connection.close()
        elif handler.path.startswith("/api/v0/pubsub/sub"):
            reply(told(b"one"))(handler)
            up[0] = False
        else:
            reply(b'{"Strings":[]}')(handler)

    store = IpfsDatastore(endpoint(answer))
    store.received(TOPIC)

    def fails() -> bool:
        try:
            store.received(TOPIC)
        except DatastoreUnavailable:
            return True
        return False

    awaited("the trouble", fails)
    store.close()
