"""What strangers put under a CID, and whom they name as peers: one's own node serves on."""

from __future__ import annotations

import hashlib
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import base58
import pytest

from offchain.storage import (
    ContentError,
    ContentMalformed,
    ContentMissing,
    DatastoreError,
    InvalidCid,
    Network,
    cid_from_digest,
    cid_of,
    digest_of,
)
from offchain.storage import embedded as module
from offchain.storage.checks import digest_of_answer
from offchain.storage.embedded import EmbeddedDatastore
from offchain.storage.flatfs import BlockFiles

MOST = 8_192
EMPTY = b"\x0a\x04\x08\x02\x18\x00"
"""A leaf of no bytes."""


@pytest.fixture
def carol(tmp_path):
    """Serves whatever blocks she likes."""
    with EmbeddedDatastore(tmp_path / "carol", network=Network()) as store:
        yield store


@pytest.fixture
def anna(tmp_path, carol):
    network = Network(peers=carol.addresses)
    with EmbeddedDatastore(tmp_path / "anna", timeout=4, network=network) as store:
        yield store


def stored(store: EmbeddedDatastore, block: bytes) -> bytes:
    """The digest of a block that lies in a repository by no way that the library knows."""
    digest = hashlib.sha256(block).digest()
    path = BlockFiles(store.repo).path(digest)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(block)
    return digest


def field(number: int, value: bytes) -> bytes:
    assert len(value) < 256
    length = bytes([len(value)]) if len(value) < 128 else bytes([len(value) & 127 | 128, 1])
    return bytes([number << 3 | 2]) + length + value


def link(digest: bytes, name: bytes = b"") -> bytes:
    return field(
        2, field(1, b"\x12\x20" + digest) + (field(2, name) + b"\x18\x10" if name else b"")
    )


def folder(store: EmbeddedDatastore, name: bytes, digest: bytes, mode: int | None = None) -> str:
    """One that holds a single file."""
    said = b"\x08\x01"
    if mode is not None:
        said += b"\x38" + bytes([mode & 127 | 128, mode >> 7])
    return cid_from_digest(stored(store, link(digest, name) + field(1, said)))


def large_folder(store: EmbeddedDatastore) -> str:
    """Of 64 MiB, as the library adds it."""
    place = store.repo / "spool" / "large"
    place.mkdir()
    for number in range(8):
        (place / str(number)).write_bytes(os.urandom(8 << 20))
    return cid_from_digest(digest_of_answer(store._ask("add", str(place))))


def file_in(store: EmbeddedDatastore) -> bytes:
    return stored(store, field(1, b"\x08\x02" + field(2, b"inside") + b"\x18\x06"))


def evil_folder(store: EmbeddedDatastore) -> bytes:
    return digest_of(folder(store, b"../../stolen", file_in(store)))


HOSTILE = {
    "a folder": lambda carol: folder(carol, b"f", file_in(carol)),
    "a folder that nobody may write": lambda carol: folder(carol, b"f", file_in(carol), 0o500),
    "a folder whose file leaves it": lambda carol: folder(carol, b"../../stolen", file_in(carol)),
    "a folder below a file": lambda carol: cid_from_digest(
        stored(carol, link(evil_folder(carol)) + field(1, b"\x08\x02\x18\x06\x20\x06"))
    ),
    "a large folder": large_folder,
    "a link to another's file": lambda carol: cid_from_digest(
        stored(carol, field(1, b"\x08\x04" + field(2, b"/etc/passwd")))
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_file_is_its_authors_fault_and_leaves_nothing(what, carol, anna, tmp_path):
    """The second time, too: what is left of the first would stop a node for ever."""
    cid = HOSTILE[what](carol)
    before = sum(file.stat().st_size for file in anna.repo.rglob("*") if file.is_file())
    for _ in range(2):
        with pytest.raises(ContentError):
            anna.get(cid, MOST)
    assert anna.get(carol.put(b"something else")) == b"something else"
    assert [path.name for path in anna.repo.glob("spool/*")] == []
    assert not list(tmp_path.rglob("stolen"))
    after = sum(file.stat().st_size for file in anna.repo.rglob("*") if file.is_file())
    assert after - before < 32 << 20


def test_a_folder_that_is_fetched_unseen_writes_where_it_likes(carol, anna, tmp_path, monkeypatch):
    """The twin: the library writes a folder's files under the names that the folder has."""
    monkeypatch.setattr(EmbeddedDatastore, "_next", lambda self, cid, most: (cid, most))
    with suppress(DatastoreError):
        anna.get(HOSTILE["a folder whose file leaves it"](carol), MOST)
    (stolen,) = tmp_path.rglob("stolen")
    assert (stolen.parent, stolen.read_bytes()) == (anna.repo, b"inside")


@pytest.mark.parametrize(
    "cid", ["a\0b", "\ud800", "b" * 4_000, "/", "x/../../y", ""], ids=lambda cid: repr(cid)[:12]
)
def test_text_that_is_no_address_is_its_authors_fault(cid, anna):
    with pytest.raises(InvalidCid):
        anna.get(cid, MOST)
    good = anna.put(b"good")
    assert next(anna.get_many([good, cid], MOST)) == b"good"


def bomb(carol: EmbeddedDatastore) -> str:
    """Forty blocks, each twice in the next, of no bytes: a million million ways."""
    digest = stored(carol, EMPTY)
    for _ in range(40):
        digest = stored(carol, 2 * link(digest) + field(1, b"\x08\x02\x18\x00\x20\x00\x20\x00"))
    return cid_from_digest(digest)


def test_a_tree_of_a_million_million_ways_is_not_walked(carol, anna):
    cid = bomb(carol)
    for _ in range(2):
        with pytest.raises(ContentMalformed, match="more than 1048576 blocks, repeated"):
            anna.get(cid, MOST)
    assert anna._node is None  # what walked it was ended
    assert anna.get(carol.put(b"something else")) == b"something else"


def test_a_tree_is_walked_where_nobody_counts(carol, anna, monkeypatch):
    """The twin: it takes twice the time that one waits for the node, each time."""
    monkeypatch.setattr(module, "MOST_PATHS", 1 << 60)
    with pytest.raises(ContentMissing):
        anna.get(bomb(carol), MOST)
    with pytest.raises(ContentMalformed, match="did not answer"):
        anna.get(bomb(carol), MOST)


def test_what_is_missing_holds_up_nobody_else(carol, anna):
    """Eight contents that nobody has, beside one that is there."""
    good = carol.put(b"good")
    assert anna.get(carol.put(b"connected")) == b"connected"
    with ThreadPoolExecutor(9) as pool:
        waits = [pool.submit(missing, anna, f"junk {number}") for number in range(8)]
        time.sleep(0.5)
        began = time.monotonic()
        assert pool.submit(anna.get, good, MOST).result() == b"good"
        assert time.monotonic() - began < anna.timeout
        assert not any(one.done() for one in waits)
        assert all(one.result() for one in waits)


def test_whoever_keeps_the_node_to_itself_holds_up_all_others(carol, anna, monkeypatch):
    """The twin."""
    monkeypatch.setattr(module, "TURN_SECONDS", anna.timeout - 1)
    good = carol.put(b"good")
    assert anna.get(carol.put(b"connected")) == b"connected"
    with ThreadPoolExecutor(4) as pool:
        waits = [pool.submit(missing, anna, f"junk {number}") for number in range(3)]
        time.sleep(0.5)
        assert pool.submit(anna.get, good, MOST).result() == b"good"
        assert any(one.done() for one in waits)


def missing(store: EmbeddedDatastore, what: str) -> bool:
    try:
        store.get(cid_of(what.encode()), MOST)
    except ContentMissing:
        return True
    return False


@pytest.fixture
def tarpits():
    """Addresses that take every call and say nothing."""
    sockets = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(8)]
    yield [
        f"/ip4/127.0.0.1/tcp/{one.getsockname()[1]}/p2p/{base58.b58encode(name).decode()}"
        for one, name in zip(sockets, names(), strict=False)
    ]
    for one in sockets:
        one.close()


def names():
    for number in range(8):
        yield b"\x12\x20" + bytes([number]) * 32


def test_peers_that_say_nothing_keep_nobody_from_the_others(tmp_path, carol, tarpits):
    with EmbeddedDatastore(tmp_path / "bert", timeout=4, network=Network()) as bert:
        began = time.monotonic()
        bert.connect([*tarpits, *carol.addresses])
        assert time.monotonic() - began < 4
        assert bert.get(carol.put(b"good"), MOST) == b"good"


def test_addresses_that_are_none_leave_the_node_as_it_was(tmp_path, carol):
    """What strangers wrote is an answer of the node, never its end."""
    with EmbeddedDatastore(tmp_path / "bert", timeout=4, network=Network()) as bert:
        process = bert._node._process.pid
        bert.connect(["/ip4/1.2.3.4/tcp/1/p2p/\ud800", *carol.addresses])
        assert bert.get(carol.put(b"good"), MOST) == b"good"
        with pytest.raises(DatastoreError, match="UnicodeEncodeError"):
            bert._ask("received", "\ud800")
        assert bert._node._process.pid == process
