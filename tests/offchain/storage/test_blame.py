"""Whose fault a failure is: what strangers can put under a CID never stops a role.

A role passes over a party for a ContentError and stops for any other. The twins are datastores
without the health check, which take a stranger's content for their own node's failure.
"""

from __future__ import annotations

import hashlib
import json
import socket
import time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from offchain.storage import (
    ContentError,
    ContentMalformed,
    ContentMissing,
    DatastoreError,
    DatastoreUnavailable,
    cid_from_digest,
    cid_of,
)
from offchain.storage.checks import as_added, digest_of_answer
from offchain.storage.embedded import EmbeddedDatastore
from offchain.storage.flatfs import BlockFiles
from offchain.storage.ipfs import IpfsDatastore
from offchain.storage.unixfs import _bytes_field as field
from offchain.storage.unixfs import _number_field as number
from tests.kit.http_endpoint import Answer, drip, reply
from tests.kit.ipfs_daemon import running_daemon

pytestmark = [
    pytest.mark.filterwarnings("ignore:The 'strict' parameter:FutureWarning"),
    pytest.mark.usefixtures("impatient"),
]

BAD = cid_of(b"x" * 300_000)
HAMT, LINK = b"\x0a\x04\x08\x05\x18\x01", b"\x0a\x0f\x08\x04\x12\x0b/etc/passwd"
"""A part of a large folder, and a symbolic link, as UnixFS writes them."""
BY_IDENTITY = b"\x01\x55\x00\x22\x12\x20" + b"z" * 32
BY_SHA2_512 = b"\x01\x55\x13\x40" + b"q" * 28 + b"\x12\x20" + b"z" * 32
"""Links that end as one by sha2-256 does, and are none."""


def leaf(chunk: bytes) -> bytes:
    return field(1, b"\x08\x02" + field(2, chunk) + number(3, len(chunk)))


def file_of(links: list[bytes], sizes: list[int], kind: int = 2) -> bytes:
    """A block of UnixFS over others. sizes: of those, as it says."""
    content = number(1, kind) + number(3, 100) + b"".join(number(4, size) for size in sizes)
    return b"".join(field(2, field(1, link)) for link in links) + field(1, content)


def v0(block: bytes) -> bytes:
    return b"\x12\x20" + hashlib.sha256(block).digest()


NO_FILES = [b"\x0a\x02\x08\x09rubbish", b"\xff" * 40, HAMT, LINK]
NO_LINKS = [file_of([one], [100]) for one in (BY_IDENTITY, BY_SHA2_512)]
A, B = leaf(b"a" * 50), leaf(b"b" * 50)
ODD_FILES = {
    "raw leaves": file_of([b"\x01\x55" + v0(A), b"\x01\x55" + v0(B)], [len(A), len(B)]),
    "blocks of no size": file_of([v0(A), v0(B)], [0, 50]),
    "no sizes": file_of([v0(A), v0(B)], []),
    "a type beyond 32 bits": file_of([v0(A), v0(B)], [50, 50], kind=2**32 + 2),
    "metadata": file_of([v0(A), v0(B)], [50, 50], kind=3),
}
"""Of each some reader makes bytes, not all the same ones, and none that have its CID."""
KUBO = {
    "a folder": "this dag node is a directory",
    "another node": "unexpected node type",
    "no node": "protobuf: (PBNode) invalid wireType, expected 2, got 0",
}
"""What Kubo answers to such CIDs."""


class Trusting(IpfsDatastore):
    """Asks nothing of its node: whatever fails is the node's fault."""

    def __init__(self, *arguments, **more) -> None:
        super().__init__(*arguments, **more)
        self._node.is_well = lambda: False


def node(bad: Answer) -> Answer:
    """A node that adds and returns files as it should, and answers for BAD as `bad` does."""
    files = {}

    def answer(handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        if url.path.endswith("/v0/add"):
            body = b""
            while size := int(handler.rfile.readline(), 16):
                body += handler.rfile.read(size)
                handler.rfile.readline()
            data = body.split(b"\r\n\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]
            name = as_added(cid_of(data))
            files[name] = data
            reply(json.dumps({"Name": name, "Hash": name, "Size": "1"}).encode())(handler)
            return
        (name,) = parse_qs(url.query)["arg"]
        (reply(files[name]) if name in files else bad)(handler)

    return answer


def says(message: str) -> Answer:
    return reply(json.dumps({"Message": message, "Code": 0, "Type": "error"}).encode(), 500)


def breaks_off(handler: BaseHTTPRequestHandler) -> None:
    """As Kubo, which has sent the first blocks when it finds that the next one is nowhere."""
    handler.protocol_version = "HTTP/1.1"
    handler.send_response(200)
    handler.send_header("Content-Type", "text/plain")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.send_header("Trailer", "X-Stream-Error")
    handler.end_headers()
    handler.wfile.write(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
    handler.wfile.flush()
    time.sleep(0.05)
    handler.connection.shutdown(socket.SHUT_RDWR)


def stalls(_: BaseHTTPRequestHandler) -> None:
    time.sleep(1.5)


REFUSED = {f"says {what}": says(words) for what, words in KUBO.items()}
WITHHELD = {"breaks off": breaks_off, "drips": drip, "stalls": stalls}


@pytest.mark.parametrize(
    ("call", "how"),
    [("get", how) for how in (*REFUSED, *WITHHELD)]
    + [("pin", how) for how in (*REFUSED, "stalls")],
)
def test_content_is_to_blame_while_the_node_is_well(endpoint, call, how):
    """What is no file is told from what did not come, which may come later."""
    kind = ContentMalformed if how in REFUSED else ContentMissing
    with IpfsDatastore(endpoint(node((REFUSED | WITHHELD)[how])), timeout=1) as store:
        with pytest.raises(kind, match=BAD):
            getattr(store, call)(BAD)
        assert store.get(store.put(b"mine")) == b"mine"


@pytest.mark.parametrize("how", [*REFUSED, *WITHHELD])
def test_without_the_health_check_a_stranger_stops_the_role(endpoint, how):
    """The twin of the test before."""
    bad = node((REFUSED | WITHHELD)[how])
    with Trusting(endpoint(bad), timeout=0.3) as store, pytest.raises(DatastoreError) as caught:
        store.get(BAD)
    assert not isinstance(caught.value, ContentError)


@pytest.mark.parametrize("call", ["get", "pin"])
def test_the_node_is_to_blame_where_it_fails_at_everything(endpoint, call):
    sick = says("the datastore is closed")
    with IpfsDatastore(endpoint(sick), timeout=0.3) as store:
        with pytest.raises(DatastoreError, match="the datastore is closed") as caught:
            getattr(store, call)(BAD)
        assert not isinstance(caught.value, ContentError)


@pytest.mark.parametrize("words", ["No space left on device", "Too many open files"])
def test_what_a_machine_alone_can_say_is_no_contents_fault(endpoint, words):
    """A full disk still takes the few bytes of a health check."""
    full = node(says(f"write /ipfs/blocks/put-1: {words.lower()}"))
    with IpfsDatastore(endpoint(full), timeout=1) as store:
        with pytest.raises(DatastoreError, match=words.lower()) as caught:
            store.pin(BAD)
        assert not isinstance(caught.value, ContentError)


def test_no_attempts_are_made_after_the_time_is_over(endpoint):
    """A peer that hangs up late each time costs one timeout, not one for each attempt."""
    calls = []

    def late(handler: BaseHTTPRequestHandler) -> None:
        calls.append(time.monotonic())
        time.sleep(0.9)
        handler.connection.shutdown(socket.SHUT_RDWR)

    with (
        IpfsDatastore(endpoint(node(late)), timeout=1, retries=9) as store,
        pytest.raises(ContentMissing),
    ):
        store.get(BAD)
    assert len(calls) == 2


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rpc")
    with running_daemon(folder) as address, IpfsDatastore(address, timeout=5) as store:
        yield store


def rpc(store: IpfsDatastore, path: str, files: list[tuple[str, bytes]], **params: str) -> str:
    """The last line that the daemon answers to files sent to it."""
    _, _, host, _, port, *_ = store.endpoint.split("/")
    parts = [("file", (name, content, "application/octet-stream")) for name, content in files]
    url = f"http://{host}:{port}/api/v0{path}"
    answer = requests.post(url, params=params, files=parts, timeout=20)
    assert answer.status_code == 200, answer.text
    return answer.text.strip().splitlines()[-1]


def test_a_real_daemon_is_not_blamed_for_a_folder(daemon):
    last = rpc(daemon, "/add", [("d%2Fa", b"x"), ("d%2Fb", b"y")], **{"cid-version": "0"})
    with pytest.raises(ContentMalformed):
        daemon.get(cid_from_digest(digest_of_answer(json.loads(last)["Hash"])), 1 << 20)


@pytest.mark.parametrize("block", NO_FILES)
def test_a_real_daemon_is_not_blamed_for_a_block_that_is_no_file(daemon, block):
    rpc(daemon, "/block/put", [("f", block)], format="raw", mhtype="sha2-256", version="1")
    with pytest.raises(ContentError):
        daemon.get(cid_from_digest(hashlib.sha256(block).digest()), 1 << 20)


@pytest.mark.parametrize("odd", ODD_FILES)
def test_a_real_daemon_is_not_blamed_for_what_it_makes_of_an_odd_layout(daemon, odd):
    for block in (A, B, ODD_FILES[odd]):
        rpc(daemon, "/block/put", [("f", block)], format="raw", mhtype="sha2-256", version="1")
    with pytest.raises(ContentError):
        daemon.get(cid_from_digest(hashlib.sha256(ODD_FILES[odd]).digest()), 1 << 20)


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("embedded")
    with EmbeddedDatastore(folder, timeout=5) as store:
        yield store


def stored(store: EmbeddedDatastore, block: bytes) -> str:
    """The CID of a block that is put among the node's."""
    digest = hashlib.sha256(block).digest()
    file = BlockFiles(store.repo).path(digest)
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(block)
    return cid_from_digest(digest)


def test_an_embedded_node_is_not_blamed_for_a_folder(embedded):
    embedded.put_many([b"a", b"b"])
    folder = next(d for d in embedded._pinned() if embedded._blocks.node(d).is_directory)
    with pytest.raises(ContentMalformed):
        embedded.get(cid_from_digest(folder))


@pytest.mark.parametrize("block", NO_FILES + NO_LINKS)
def test_an_embedded_node_is_not_blamed_for_a_block_that_is_no_file(embedded, block):
    with pytest.raises(ContentMalformed):
        embedded.get(stored(embedded, block))


def test_an_embedded_node_is_not_blamed_for_a_file_whose_tree_does_not_add_up(embedded):
    """The root speaks of ten bytes and has none below it."""
    with pytest.raises(ContentError):
        embedded.get(stored(embedded, b"\x0a\x06\x08\x02\x18\x0a\x20\x0a"))


@pytest.mark.parametrize("odd", ODD_FILES)
def test_an_embedded_node_is_not_blamed_for_an_odd_layout(embedded, odd):
    for block in (A, B):
        stored(embedded, block)
    with pytest.raises(ContentError):
        embedded.get(stored(embedded, ODD_FILES[odd]))


def test_branches_that_meet_again_are_walked_once(embedded):
    """Forty blocks, each of which links the next one twice: a million million paths."""
    cid = cid_of(b"never put anywhere")
    digest = digest_of_answer(as_added(cid))
    for _ in range(40):
        link = b"\x12\x24\x0a\x22\x12\x20" + digest
        cid = stored(embedded, link * 2 + b"\x0a\x04\x08\x02\x18\x0a")
        digest = digest_of_answer(cid)
    start = time.monotonic()
    with pytest.raises(ContentMissing):
        embedded.pin(cid)
    embedded.remove(cid)
    assert time.monotonic() - start < 10


def test_an_embedded_node_that_fails_at_everything_is_to_blame(embedded, monkeypatch):
    cid = embedded.put(b"x")
    ask = embedded._ask

    def sick(operation: str, *arguments: str) -> object:
        if operation in ("add", "download"):
            raise DatastoreUnavailable("the node is ill")
        return ask(operation, *arguments)

    monkeypatch.setattr(embedded, "_ask", sick)
    with pytest.raises(DatastoreUnavailable, match="ill"):
        embedded.get(cid)
