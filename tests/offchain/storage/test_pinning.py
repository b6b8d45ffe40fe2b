"""Services that keep content for others, over real HTTP."""

from __future__ import annotations

import json
import time

import pytest

from offchain.storage import DatastoreUnavailable, Network, cid_of, open_datastore, pinning
from offchain.storage.embedded import EmbeddedDatastore
from offchain.storage.helped import HELP, Help, HelpedNode
from offchain.storage.pinning import PinService, PinServiceError, read_token
from tests.kit.http_endpoint import reply, trickle
from tests.kit.memory_store import MemoryStore
from tests.kit.pin_server import TOKEN, PinServer

CIDS = [cid_of(i.to_bytes(4, "big")) for i in range(25)]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(pinning, "BACKOFF_SECONDS", 0.01)


@pytest.fixture
def server():
    return PinServer()


@pytest.fixture
def service(endpoint, server):
    return PinService(endpoint(server), TOKEN)


class OneNode(MemoryStore):
    """A node in memory that others reach at one address."""

    addresses = ("/ip4/127.0.0.1/tcp/1/p2p/QmOwn",)

    def __init__(self):
        super().__init__({})
        self.peers: list[str] = []

    def connect(self, peers):
        self.peers += peers


def test_content_is_asked_for_once_and_kept_until_removed(service, server):
    added = service.add(CIDS, ("/ip4/192.0.2.1/tcp/4001/p2p/QmHere",))
    assert {pin.cid for pin in added} == set(CIDS)
    assert all(pin["pin"]["origins"] for pin in server.pins.values())
    service.wait(CIDS, 5)
    assert service.add([*CIDS, CIDS[0]]) == []
    assert {pin.state for pin in service.pins(CIDS)} == {"pinned"}
    assert service.remove(CIDS[3]) == 1
    assert service.remove(CIDS[3]) == 0
    assert len(service.pins()) == len(CIDS) - 1


def test_all_are_listed_however_many_pages_they_fill(service, monkeypatch):
    monkeypatch.setattr(pinning, "PAGE", 4)
    service.add(CIDS)
    assert sorted(pin.cid for pin in service.pins()) == sorted(CIDS)


def test_what_failed_is_told_and_asked_for_again(service, server):
    server.fetches = lambda cid, origins: cid != CIDS[1]
    service.add(CIDS[:2])
    with pytest.raises(PinServiceError, match=f"does not keep {CIDS[1]}"):
        service.wait(CIDS[:2], 5)
    server.fetches = lambda cid, origins: True
    assert [pin.cid for pin in service.add(CIDS[:2])] == [CIDS[1]]
    service.wait(CIDS[:2], 5)


def test_what_takes_too_long_is_told(service, server):
    service.add(CIDS[:2])
    for pin in server.pins.values():
        pin["status"] = "pinning"
    with pytest.raises(PinServiceError, match=r"after 0\.1 s, and 1 more"):
        service.wait(CIDS[:2], 0.1, poll=0.05)


def test_a_busy_service_is_asked_again_and_in_the_end_told(service, server):
    server.busy = pinning.TRIES - 1
    assert service.pins() == []
    server.busy = pinning.TRIES
    with pytest.raises(PinServiceError, match="status 503, BUSY"):
        service.pins()


def test_the_token_is_shown_nowhere(endpoint, server, tmp_path):
    secret = PinService(endpoint(server), "another-secret-token")
    with pytest.raises(PinServiceError, match="does not take the token") as refused:
        secret.pins()
    assert "another-secret-token" not in f"{refused.value!r} {secret!r}"
    with pytest.raises(PinServiceError, match="https://, since it is sent a token"):
        PinService("http://192.0.2.1/psa", TOKEN)


def test_the_token_goes_to_no_other_address(endpoint, server):
    other = endpoint(server)

    def elsewhere(handler) -> None:
        handler.send_response(307)
        handler.send_header("Location", f"{other}/pins")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with pytest.raises(PinServiceError, match="status 307"):
        PinService(endpoint(elsewhere), TOKEN).pins()
    assert server.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b"no json",
        b'{"results": 3}',
        b'{"results": [{}]}',
        b'{"results": [{"requestid": "../x", "status": "pinned", "pin": {"cid": "bafy"}}]}',
        json.dumps(
            {"results": [{"requestid": "a/b", "status": "pinned", "pin": {"cid": CIDS[0]}}]}
        ).encode(),
        json.dumps(
            {"results": [{"requestid": "a", "status": "perhaps", "pin": {"cid": CIDS[0]}}]}
        ).encode(),
    ],
)
def test_what_does_not_answer_as_a_service_is_told(endpoint, answer):
    with pytest.raises(PinServiceError, match="does not answer as a pinning service does"):
        PinService(endpoint(reply(answer)), TOKEN).pins()


def test_who_does_not_answer_is_told():
    with pytest.raises(PinServiceError, match="no answer"):
        PinService("http://127.0.0.1:9", TOKEN).pins()


def test_a_service_that_breaks_off_is_told(endpoint):
    """Its library has other errors for what fails while an answer is read."""

    def breaks_off(handler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"400\r\n{")

    with pytest.raises(PinServiceError, match="no answer"):
        PinService(endpoint(breaks_off), TOKEN).pins()


def test_a_service_that_answers_byte_by_byte_is_left_in_time(endpoint, monkeypatch):
    monkeypatch.setattr(pinning, "TRIES", 2)
    begun = time.monotonic()
    with pytest.raises(PinServiceError, match="no answer"):
        PinService(endpoint(trickle), TOKEN, timeout=0.5).pins()
    assert time.monotonic() - begun < 5


def test_a_token_is_read_from_a_file_that_is_ones_own(tmp_path):
    path = tmp_path / "token"
    with pytest.raises(PinServiceError, match="no token in"):
        read_token(path)
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o644)
    with pytest.raises(PinServiceError, match="has mode 0644, needs 0600"):
        read_token(path)
    path.chmod(0o600)
    assert read_token(path) == TOKEN
    path.write_text("two words\n")
    with pytest.raises(PinServiceError, match="does not hold one token"):
        read_token(path)


def test_what_is_stored_is_kept_elsewhere_and_what_is_removed_is_not(service, server):
    node = OneNode()
    server.delegates = ["/ip4/192.0.2.7/tcp/4001/p2p/QmService"]
    store = HelpedNode(node, [], [service])
    cid = store.put(b"content")
    many = store.put_many([b"one", b"two"])
    assert {pin.cid for pin in service.pins()} == {cid, *many}
    assert {tuple(pin["pin"]["origins"]) for pin in server.pins.values()} == {node.addresses}
    assert set(node.peers) == set(server.delegates)
    store.remove(cid)
    assert {pin.cid for pin in service.pins()} == set(many)


def test_a_service_that_refuses_is_an_error_as_a_node_that_does_not_store(service, server):
    server.busy = 100
    with pytest.raises(DatastoreUnavailable, match="pinning service"):
        HelpedNode(OneNode(), [], [service]).put(b"content")


def test_the_services_node_fetches_from_ours(endpoint, server, tmp_path):
    """Opened as commands open it, by a file of the token; the origin that is told is enough."""
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    url = endpoint(server)
    kept = HELP.set(Help(services=((url, token),)))
    try:
        with (
            EmbeddedDatastore(tmp_path / "theirs", network=Network()) as theirs,
            open_datastore(None, tmp_path / "own", Network()) as own,
        ):

            def fetches(cid: str, origins: list[str]) -> bool:
                theirs.connect(origins)
                theirs.pin(cid)
                return True

            server.fetches = fetches
            cid = own.put(b"content")
            PinService(url, TOKEN).wait([cid], 20)
            own.close()
            assert theirs.get(cid) == b"content"
    finally:
        HELP.reset(kept)


def test_what_a_service_dropped_is_lost_and_asked_for_again(service, server):
    """The node has it all the time; the promise was that the service keeps it."""
    store = HelpedNode(OneNode(), (), [service])
    cids = store.put_many([b"one", b"two"])
    assert store.lost(cids, 0) == []
    server.pins = {key: pin for key, pin in server.pins.items() if pin["pin"]["cid"] != cids[1]}
    assert store.lost(cids, 0) == [cids[1]]
    store.pin(cids[1])
    assert store.lost(cids, 0) == []
