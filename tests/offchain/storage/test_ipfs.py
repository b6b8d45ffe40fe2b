"""The RPC datastore against endpoints that fail, lie or stall, and garbage collection."""

from __future__ import annotations

import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler
from queue import SimpleQueue

import pytest

from offchain.storage import (
    ContentMissing,
    ContentTooLarge,
    DatastoreError,
    DatastoreUnavailable,
    Network,
    cid_of,
    open_datastore,
)
from offchain.storage import ipfs as module
from offchain.storage.checks import as_added
from offchain.storage.ipfs import IpfsDatastore
from tests.kit.http_endpoint import drip, reply
from tests.kit.ipfs_daemon import running_daemon

pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'strict' parameter:FutureWarning"),
    pytest.mark.usefixtures("impatient"),
]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize("call", ["put", "get", "pin", "remove"])
@pytest.mark.parametrize("form", ["http://127.0.0.1:{}", "/ip4/127.0.0.1/tcp/{}"])
def test_a_dead_endpoint_is_named(tmp_path, call, form):
    url = form.format(free_port())
    with (
        open_datastore(url, tmp_path) as store,
        pytest.raises(DatastoreUnavailable) as caught,
    ):
        getattr(store, call)(b"x" if call == "put" else cid_of(b"x"))
    assert str(caught.value) == (
        f"no IPFS node answers at {url} (connection refused, 3 attempts): start it, or name "
        "another, or none for the embedded node"
    )


@pytest.mark.parametrize("retries", [0, 2])
def test_only_failed_connections_are_tried_again(endpoint, retries):
    """An endpoint that hangs up is asked 1 + retries times, one that refuses is asked once."""
    calls = []

    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        calls.append("hang up")
        handler.connection.shutdown(socket.SHUT_RDWR)

    def refuse(handler: BaseHTTPRequestHandler) -> None:
        calls.append("refuse")
        reply(b'{"Message": "no space left", "Code": 0, "Type": "error"}', 500)(handler)

    with (
        IpfsDatastore(endpoint(hang_up), retries=retries) as store,
        pytest.raises(DatastoreUnavailable),
    ):
        store.put(b"x")
    with (
        IpfsDatastore(endpoint(refuse), retries=retries) as store,
        pytest.raises(DatastoreError, match="no space left"),
    ):
        store.put(b"x")
    assert calls == ["hang up"] * (1 + retries) + ["refuse"]


@pytest.mark.parametrize("answer", [lambda _: time.sleep(1.5), drip])
def test_a_slow_endpoint_is_given_up(endpoint, answer):
    """Whether it says nothing, or something now and then."""
    url = endpoint(answer)
    start = time.monotonic()
    with (
        IpfsDatastore(url, timeout=0.3) as store,
        pytest.raises(DatastoreUnavailable, match=f"{url}.*0.3 s"),
    ):
        store.get(cid_of(b"x"))
    assert time.monotonic() - start < 1.4


def test_a_lying_endpoint_is_caught_and_nobody_else_is_to_blame(endpoint):
    cid = cid_of(b"what was asked for")
    with (
        IpfsDatastore(endpoint(reply(b"something else"))) as store,
        pytest.raises(DatastoreUnavailable, match=f"answers other content for {cid}"),
    ):
        store.get(cid)


def test_an_endpoint_that_adds_with_other_settings_is_caught(endpoint):
    answer = f'{{"Hash": "{cid_of(b"y")}", "Name": "x", "Size": "1"}}'.encode()
    with (
        IpfsDatastore(endpoint(reply(answer))) as store,
        pytest.raises(DatastoreError, match=cid_of(b"x")),
    ):
        store.put(b"x")


def test_an_endless_answer_is_cut_at_the_bound(endpoint):
    """The endpoint ignores the length asked for; some 20 MB would follow."""
    with IpfsDatastore(endpoint(drip), timeout=10) as store:
        start = time.monotonic()
        with pytest.raises(ContentTooLarge, match="5000 bytes"):
            store.get(cid_of(b"x"), max_bytes=5_000)
        assert time.monotonic() - start < 2


@pytest.mark.parametrize("status", [200, 404])
def test_a_web_server_is_not_taken_for_a_node(endpoint, status):
    url = endpoint(reply(b"<html>", status))
    with IpfsDatastore(url) as store, pytest.raises(DatastoreUnavailable, match=url) as caught:
        store.put(b"x")
    assert re.search(r"\((HTTP status 404|DecodingError)\): name the address", str(caught.value))
    assert len(str(caught.value)) < 160


def test_a_host_that_does_not_exist_is_said_in_a_short_line():
    with (
        IpfsDatastore("http://no-such-host.invalid:5001", retries=0) as store,
        pytest.raises(DatastoreUnavailable, match=r"^no IPFS node answers at http") as caught,
    ):
        store.put(b"x")
    assert len(str(caught.value)) < 180
    assert "object" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["", "localhost", "ftp://h:1", "http://h:x", "/ip4/1.2.3", "http://h/p"]
)
def test_what_is_no_endpoint_is_refused_at_once(url):
    with pytest.raises(DatastoreUnavailable, match="neither"):
        IpfsDatastore(url)


def test_a_password_is_sent_but_never_shown(endpoint):
    seen = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["Authorization"])
        reply(b"{}", 401)(handler)

    url = endpoint(answer).replace("//", "//me:secret@")
    with IpfsDatastore(url) as store, pytest.raises(DatastoreError) as caught:
        store.put(b"x")
    assert seen == ["Basic bWU6c2VjcmV0"]
    assert "secret" not in str(caught.value)


def test_pins_survive_garbage_collection(tmp_path):
    """What `put` stores and what `pin` names stays; what nobody pinned goes."""
    with running_daemon(tmp_path) as address, IpfsDatastore(address, timeout=3) as store:
        put = store.put(b"put")
        loose = {"raw-leaves": "false", "cid-version": "0", "pin": "false"}
        for data in (b"pinned", b"loose"):
            assert store._node.client.add_bytes(data, opts=loose) == as_added(cid_of(data))
        store.pin(cid_of(b"pinned"))
        store._node.client.repo.gc(quiet=True)
        assert store.get(put) == b"put"
        assert store.get(cid_of(b"pinned")) == b"pinned"
        with pytest.raises(ContentMissing):
            store.get(cid_of(b"loose"))


def test_many_contents_travel_at_once_but_few_are_ahead_of_the_reader(endpoint):
    """A node far away: one by one each request would wait for the other at the barrier."""
    together = threading.Barrier(module.PARALLEL, timeout=5)
    asked = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        if len(asked) <= module.PARALLEL:
            together.wait()
        reply(b"near")(handler)

    with IpfsDatastore(endpoint(answer)) as store:
        contents = store.get_many([cid_of(b"near")] * 100)
        assert next(contents) == b"near"
        contents.close()
        assert module.PARALLEL <= len(asked) <= 2 * module.PARALLEL


def test_a_node_is_told_of_peers_and_says_where_it_is_reached(endpoint, tmp_path):
    """A peer that does not answer is no error: the node looks for content by itself, too."""
    connecting: SimpleQueue[str] = SimpleQueue()
    address = "/ip4/192.0.2.1/tcp/4001/p2p/QmNobody"

    def answer(handler: BaseHTTPRequestHandler) -> None:
        if "/swarm/connect" in handler.path:
            connecting.put(handler.path)
            reply(b'{"Message": "no route", "Code": 0, "Type": "error"}', 500)(handler)
        else:
            reply(b'{"ID": "QmUs", "Addresses": ["/ip4/127.0.0.1/tcp/4001/p2p/QmUs"]}')(handler)

    with open_datastore(endpoint(answer), tmp_path, Network(peers=(address,))) as store:
        assert store.addresses == ("/ip4/127.0.0.1/tcp/4001/p2p/QmUs",)
        # The node is told in the background.
        assert "QmNobody" in connecting.get(timeout=30)
