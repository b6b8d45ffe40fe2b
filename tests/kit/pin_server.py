"""A small pinning service over HTTP, as the specification has it, whose nodes are the test's."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from itertools import count
from urllib.parse import parse_qs, urlsplit

TOKEN = "the-token-of-a-test"


class PinServer:
    """Keeps what it is asked to. fetches: of a CID and origins, whether its nodes get it.

    asked: method and path of every request. busy: so many requests are answered 503 first.
    """

    def __init__(self) -> None:
        self.pins: dict[str, dict] = {}
        self.fetches: Callable[[str, list[str]], bool] = lambda cid, origins: True
        self.asked: list[tuple[str, str]] = []
        self.busy = 0
        self.delegates: list[str] = []
        self._numbers = count(1)

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        url = urlsplit(handler.path)
        self.asked.append((handler.command, url.path))
        if self.busy:
            self.busy -= 1
            self._answer(handler, 503, {"error": {"reason": "BUSY"}})
        elif handler.headers["Authorization"] != f"Bearer {TOKEN}":
            self._answer(handler, 401, {"error": {"reason": "UNAUTHORIZED"}})
        elif handler.command == "GET":
            self._list(handler, {name: values[0] for name, values in parse_qs(url.query).items()})
        elif handler.command == "POST":
            length = int(handler.headers["Content-Length"])
            self._add(handler, json.loads(handler.rfile.read(length)))
        else:
            self.pins.pop(url.path.rpartition("/")[2])
            self._answer(handler, 202, None)

    def _add(self, handler: BaseHTTPRequestHandler, pin: dict) -> None:
        number = next(self._numbers)  # requests come side by side
        status = {
            "requestid": f"request-{number}",
            "status": "queued",
            "created": f"2026-01-01T00:{number // 60:02}:{number % 60:02}Z",
            "pin": pin,
            "delegates": self.delegates,
        }
        self.pins[status["requestid"]] = status
        self._answer(handler, 202, status)

    def _list(self, handler: BaseHTTPRequestHandler, query: dict[str, str]) -> None:
        """The newest first, `limit` of them, older than `before`. A look lets the nodes work."""
        for pin in self.pins.values():
            if pin["status"] == "queued":
                got = self.fetches(pin["pin"]["cid"], pin["pin"]["origins"])
                pin["status"] = "pinned" if got else "failed"
        found = [
            pin
            for pin in self.pins.values()
            if pin["status"] in query["status"].split(",")
            and ("cid" not in query or pin["pin"]["cid"] in query["cid"].split(","))
            and ("before" not in query or pin["created"] < query["before"])
        ]
        found.sort(key=lambda pin: pin["created"], reverse=True)
        some = found[: int(query["limit"])]
        self._answer(handler, 200, {"count": len(found), "results": some})

    def _answer(self, handler: BaseHTTPRequestHandler, status: int, body: dict | None) -> None:
        data = b"" if body is None else json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
