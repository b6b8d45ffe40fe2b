"""How tests talk to Anvil: plain HTTP over one connection.

web3 asks by requests, which cares for proxies, cookies, redirects, certificates and much else that
no node of a test's own has. It took two fifths of a test's processor time.
"""

from __future__ import annotations

import socket
import threading
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import requests
from web3 import HTTPProvider
from web3.types import RPCEndpoint


class OneConnection(HTTPProvider):
    """A connection for each thread, kept open. Its errors are those of requests."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._local = threading.local()

    def _make_request(self, method: RPCEndpoint, request_data: bytes) -> bytes:
        """The answer's body. Raises requests' Timeout, ConnectionError and HTTPError."""
        try:
            return self._exchange(request_data)
        except TimeoutError as error:
            self._close()
            raise requests.Timeout(f"{self.endpoint_uri}: {error}") from error
        except OSError as error:
            self._close()
            raise requests.ConnectionError(f"{self.endpoint_uri}: {error}") from error

    def _exchange(self, body: bytes) -> bytes:
        connection, answers = self._connected()
        host = urlsplit(str(self.endpoint_uri)).netloc
        head = (
            f"POST / HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)
        status = answers.readline()
        if not status:
            raise ConnectionResetError("no answer")
        length = 0
        while (line := answers.readline().lower()) not in (b"\r\n", b""):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        answer = answers.read(length)
        if status.split()[1] != b"200":
            self._close()
            raise requests.HTTPError(f"{self.endpoint_uri}: {status.decode().strip()}")
        return answer

    def _connected(self) -> tuple[socket.socket, BinaryIO]:
        """This thread's connection, and where its answers are read."""
        local = self._local
        if not hasattr(local, "connection"):
            where = urlsplit(str(self.endpoint_uri))
            timeout = self._request_kwargs["timeout"]
            connection = socket.create_connection((where.hostname, where.port), timeout)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            local.connection = connection, connection.makefile("rb")
        return local.connection

    def _close(self) -> None:
        """The next request connects anew."""
        if hasattr(self._local, "connection"):
            for one in self._local.connection:
                one.close()
            del self._local.connection
