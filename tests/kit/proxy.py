"""A proxy between Ape and a node, that answers some requests itself."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import urlsplit

SomeProxy = TypeVar("SomeProxy", bound="Proxy")


class HungUp(Exception):
    """The connection ends without an answer."""


class Busy(Exception):
    """An answer of HTTP alone, by its number."""


class Told(Exception):
    """The result of a call, of which the node was not asked."""


class Proxy(ThreadingHTTPServer):
    """Passes requests on to a node as they are. What stands before other nodes does less."""

    daemon_threads = True

    def __init__(self, node: str) -> None:
        """node: its URL."""
        self.node = urlsplit(node).netloc
        super().__init__(("127.0.0.1", 0), _Requests)

    @property
    def uri(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asked may be gone before the answer comes; what else there is, is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def check(self, call: dict[str, Any]) -> dict[str, Any] | None:
        """The error, code and message, by which a call is refused; None if not. It may change it.

        Raises HungUp, Busy, Told.
        """
        return None

    def answered(self, call: dict[str, Any], result: Any) -> dict[str, Any] | None:
        """The error in place of a result; None for the result. Raises HungUp."""
        return None


class _Requests(BaseHTTPRequestHandler):
    """The requests of one connection, passed on by one connection."""

    server: Proxy
    protocol_version = "HTTP/1.1"
    # Head and body in one packet: the client would wait before it confirms the first of two.
    wbufsize = -1

    def setup(self) -> None:
        super().setup()
        self._node = HTTPConnection(self.server.node)

    def finish(self) -> None:
        self._node.close()
        super().finish()

    def do_POST(self) -> None:
        size = int(self.headers["Content-Length"])
        body = self.rfile.read(size)
        if len(body) < size:  # who asked was killed
            self.close_connection = True
            return
        call = json.loads(body)
        try:
            self._send(200, self._answer(call))
        except Busy as busy:
            self._send(busy.args[0], b"")
        except Told as told:
            said = {"jsonrpc": "2.0", "id": call["id"], "result": told.args[0]}
            self._send(200, json.dumps(said).encode())
        except (HungUp, OSError, HTTPException):  # so does the node, when it is killed
            self._node.close()
            self.close_connection = True

    def _answer(self, call: dict[str, Any]) -> bytes:
        error = self.server.check(call)
        if error is None:
            body = json.dumps(call).encode()
            self._node.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = self._node.getresponse().read()
            error = self.server.answered(call, json.loads(answer).get("result"))
            if error is None:
                return answer
        return json.dumps({"jsonrpc": "2.0", "id": call["id"], "error": error}).encode()

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """A test's output is its own."""


@contextmanager
def running(proxy: SomeProxy) -> Iterator[SomeProxy]:
    """Serves until the end."""
    with proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
