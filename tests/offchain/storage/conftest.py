"""HTTP servers that stand for IPFS nodes, and clients that wait for them less long."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from offchain.storage import ipfs_requests as module
from tests.kit.http_endpoint import Answer, endpoints


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(module, "BACKOFF_SECONDS", 0.01)


@pytest.fixture
def endpoint() -> Iterator[Callable[[Answer], str]]:
    """Starts servers that answer every request with the given function; their addresses."""
    with endpoints() as start:
        yield start
