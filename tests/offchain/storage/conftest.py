"""HTTP servers that stand for IPFS nodes, and clients that wait for them less long."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from offchain.storage import ipfs as module
from tests.offchain.storage.http_endpoint import Answer


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(module, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(module, "BACKOFF_SECONDS", 0.01)


@pytest.fixture
def endpoint() -> Iterator[Callable[[Answer], str]]:
    """Starts servers that answer every request with the given function; their addresses."""
    servers = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                answer(self)

            do_GET = do_DELETE = do_POST

            def log_message(self, *_: object) -> None:
                """Test output stays free of requests."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
