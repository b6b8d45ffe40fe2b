"""HTTP servers that stand for IPFS nodes and services, and what they answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def endpoints() -> Iterator[Callable[[Answer], str]]:
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


def reply(data: bytes, status: int = 200) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def trickle(handler: BaseHTTPRequestHandler) -> None:
    """Sends so little and so slowly that whoever waits for a whole piece waits for minutes."""
    reply(b"")(handler)
    try:
        for _ in range(100):
            handler.wfile.write(b"x")
            time.sleep(0.1)
    except OSError:
        return  # the client hung up, as it should


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Sends without end, slowly enough never to run into a read timeout."""
    reply(b"")(handler)
    try:
        for _ in range(2_000):
            handler.wfile.write(b"x" * 1_000)
            time.sleep(0.01)
    except OSError:
        return  # the client hung up, as it should
