"""Multiaddresses of nodes: what is one, and which of one's own to tell others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import ip_address

MAX_PEERS = 8
"""Addresses of one node that others are told."""
MAX_PEER = 256
"""Characters of one."""

_PLACE = re.compile(r"(/[A-Za-z0-9][A-Za-z0-9._:%=-]*)+/p2p/[A-Za-z0-9]{10,128}")
_IP = re.compile(r"/ip[46]/([^/]+)/")


def is_place(text: str) -> bool:
    """Whether a stranger's text looks like a node's multiaddress, which ends in its name."""
    return _PLACE.fullmatch(text) is not None


def told(addresses: Sequence[str]) -> tuple[str, ...]:
    """Of a node's addresses those to tell others, at most `MAX_PEERS`: those that all can reach
    first, then those of the plainest transports. What is too long is left out."""
    fit = [one for one in dict.fromkeys(addresses) if len(one) <= MAX_PEER and is_place(one)]
    return tuple(sorted(fit, key=lambda one: (_nearness(one), _oddity(one)))[:MAX_PEERS])


def _nearness(place: str) -> int:
    """0 for an address that everybody can reach, 1 for a private network's, 2 for one's own."""
    found = _IP.match(place)
    if found is None:
        return 0  # a name
    try:
        address = ip_address(found[1])
    except ValueError:
        return 2
    return 0 if address.is_global else 2 if address.is_loopback else 1


def _oddity(place: str) -> int:
    """0 for TCP, 1 for QUIC, 2 for what runs over them."""
    rest = place.rpartition("/p2p/")[0]
    if re.fullmatch(r"/[^/]+/[^/]+/tcp/\d+", rest):
        return 0
    return 1 if re.fullmatch(r"/[^/]+/[^/]+/udp/\d+/quic-v1", rest) else 2
