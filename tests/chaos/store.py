"""A proxy before a datastore's HTTP interface, at which some requests fail."""

from __future__ import annotations

import json
import re
import socket
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from tests.chaos.fault import Fault

_HEAD_END = b"\r\n\r\n"
_PIECE = 1 << 16
_LOST_SECONDS = 7.0
"""Longer than a party waits."""
FULL = "ENOSPC: no space left on device, write"
GONE = "could not find {}"


class StoreProxy(ThreadingTCPServer):
    """Passes one request a connection on to a daemon, as bytes, unless the fault has it otherwise.

    A subscription has no end, so that nothing is read to its end before it is passed on.

    Attributes:
        moved: how often content was stored or fetched.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, daemon: str, party: str, fault: Fault) -> None:
        """daemon: multiaddress of its interface."""
        ((host, port),) = re.findall(r"/ip4/([\d.]+)/tcp/(\d+)", daemon)
        self.daemon = host, int(port)
        self.party, self.fault = party, fault
        self.moved = 0
        super().__init__(("127.0.0.1", 0), _Connection)

    @property
    def address(self) -> str:
        """Multiaddress under which it listens."""
        return f"/ip4/127.0.0.1/tcp/{self.server_address[1]}/http"

    def forget(self) -> int:
        """The daemon loses all it has; how many blocks."""
        # It looks for all that is pinned, long and in vain, before it lets go of a block else.
        for pin in json.loads(self.ask("pin/ls?type=recursive") or "{}").get("Keys", {}):
            self.ask(f"pin/rm?arg={pin}")
        blocks = [json.loads(line)["Ref"] for line in self.ask("refs/local").splitlines()]
        for block in blocks:
            self.ask(f"block/rm?arg={block}&force=true")
        return len(blocks)

    def ask(self, path: str) -> bytes:
        """What the daemon itself answers."""
        node = HTTPConnection(*self.daemon, timeout=60)
        with suppress(HTTPException, OSError):
            node.request("POST", f"/api/v0/{path}")
            return node.getresponse().read()
        return b""


class _Connection(BaseRequestHandler):
    server: StoreProxy

    def handle(self) -> None:
        with suppress(OSError):
            self._handle()

    def _handle(self) -> None:
        begun = b""
        while _HEAD_END not in begun:
            piece = self.request.recv(_PIECE)
            if not piece:
                return
            begun += piece
        head, _, rest = begun.partition(_HEAD_END)
        url = urlsplit(head.split(b" ", 2)[1].decode())
        path = url.path.removeprefix("/api/v0/")
        content = parse_qs(url.query).get("arg", [""])[0]
        self.server.moved += path in ("add", "cat")
        match self.server.fault.stored(self.server.party, path):
            case "slow":
                time.sleep(_LOST_SECONDS)
            case "full":
                self._refuse(FULL)
            case "gone":
                self._refuse(GONE.format(content))
            case "lie":
                self._lie(f"{path}?{url.query}")
            case _:
                self._pass_on(head, rest)

    def _refuse(self, why: str) -> None:
        self._answer(500, json.dumps({"Message": why, "Code": 0, "Type": "error"}).encode())

    def _lie(self, request: str) -> None:
        """The content with one bit changed."""
        content = bytearray(self.server.ask(request))
        if content:
            content[len(content) // 2] ^= 1
        self._answer(200, bytes(content))

    def _answer(self, status: int, body: bytes) -> None:
        head = f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\nConnection: close"
        self.request.sendall(head.encode() + _HEAD_END + body)
        # What was sent and not read would have the answer thrown away.
        self.request.shutdown(socket.SHUT_WR)
        self.request.settimeout(2)
        while self.request.recv(_PIECE):
            pass

    def _pass_on(self, head: bytes, rest: bytes) -> None:
        lines = [one for one in head.split(b"\r\n") if not one.lower().startswith(b"connection:")]
        with socket.create_connection(self.server.daemon) as node:
            node.sendall(b"\r\n".join([*lines, b"Connection: close"]) + _HEAD_END + rest)
            upwards = Thread(target=_pour, args=(self.request, node), daemon=True)
            upwards.start()
            _pour(node, self.request)


def _pour(source: socket.socket, target: socket.socket) -> None:
    """All that comes, until it ends on either side."""
    with suppress(OSError):
        while piece := source.recv(_PIECE):
            target.sendall(piece)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
