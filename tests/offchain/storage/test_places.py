"""Which multiaddresses others are told, and which of theirs are taken."""

from __future__ import annotations

import pytest

from offchain.storage.places import MAX_PEER, MAX_PEERS, is_place, told
from offchain.task import Task

NAME = "/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
CERT = "/certhash/uEiD" + "a" * 43
TRANSPORTS = (
    "/udp/4001/webrtc-direct" + CERT,
    "/udp/4001/quic-v1/webtransport" + 2 * CERT,
    "/udp/4001/quic-v1",
    "/tcp/4001",
)
HOSTS = ("/ip4/127.0.0.1", "/ip4/172.17.0.1", "/ip4/192.168.1.7", "/ip6/::1", "/ip4/8.8.4.4")
DAEMON = [f"{host}{transport}{NAME}" for host in HOSTS for transport in TRANSPORTS]
"""What an ordinary daemon lists."""


def test_a_daemon_tells_those_that_all_can_reach_first_and_no_more_than_a_task_holds() -> None:
    chosen = told(DAEMON)
    assert chosen[:2] == (f"/ip4/8.8.4.4/tcp/4001{NAME}", f"/ip4/8.8.4.4/udp/4001/quic-v1{NAME}")
    assert len(chosen) == MAX_PEERS
    assert not [one for one in chosen if "127.0.0.1" in one]
    assert Task("images", ("a", "b"), (3, 8, 8), "MIT", contact=chosen).peers == chosen


def test_on_one_machine_its_own_address_is_told() -> None:
    own = f"/ip4/127.0.0.1/tcp/4001{NAME}"
    assert told([own, own]) == (own,)


def test_what_is_too_long_to_be_read_is_not_told() -> None:
    relay = "/ip4/8.8.4.4/udp/4001/quic-v1/webtransport" + 2 * CERT + NAME + "/p2p-circuit" + NAME
    assert len(relay) > MAX_PEER
    assert is_place(relay)
    assert told([relay, DAEMON[-1]]) == (DAEMON[-1],)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        NAME[:6],
        "/ip4/1.2.3.4/tcp/1",
        "/ip4/1.2.3.4/tcp/1/p2p/\ud800",
        "/ip4/1.2.3.4/tcp/1\x1b[2J" + NAME,
        "/ip4/1.2.3.4/tcp/1" + NAME + "\n",
        "/ip4/1.2.3.4/tcp/١" + NAME,
        "-flag" + NAME,
    ],
)
def test_what_is_no_multiaddress_is_none(text: str) -> None:
    assert not is_place(text)
