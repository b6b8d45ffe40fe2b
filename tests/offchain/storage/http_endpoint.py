"""What HTTP servers that stand for IPFS nodes answer; `endpoint` in conftest.py starts them."""

from __future__ import annotations

import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

Answer = Callable[[BaseHTTPRequestHandler], None]


def reply(data: bytes, status: int = 200) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Sends without end, slowly enough never to run into a read timeout."""
    reply(b"")(handler)
    try:
        for _ in range(2_000):
            handler.wfile.write(b"x" * 1_000)
            time.sleep(0.01)
    except OSError:
        return  # the client hung up, as it should
