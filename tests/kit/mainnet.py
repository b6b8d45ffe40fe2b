"""A chain with mainnet's limits: Anvil, and before it a proxy for those that Anvil does not have.

- A transaction has at most 16,777,216 gas (EIP-7825): Anvil refuses more.
- A transaction has at most 131,072 bytes, signed, as public pools have it: the proxy refuses more.
- Blocks have the times of slots, 12 s apart. They are mined on demand: what asks for a time in
  between gets the next slot, and a test that stops the clock has several transactions in one slot.
- The chain's id is mainnet's, and gas is estimated, as Ape does on every chain that is not local.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import ape
import pytest
from ape.types import AutoGasLimit
from ape_foundry import FoundryProvider

from tests.kit.node import GENESIS, anvil, connected

CHAIN_ID = 1
HARD_FORK = "osaka"
MAX_GAS = 16_777_216
MAX_BYTES = 131_072
SLOT_SECONDS = 12
ENVELOPE_BYTES = 200
"""More than a signed transaction has beside its data."""

_REFUSED = -32_000


class Proxy(ThreadingHTTPServer):
    """Passes on to a node what mainnet's nodes would take, and answers the rest as they do.

    sizes: bytes of each transaction that was passed on.
    """

    daemon_threads = True

    def __init__(self, node: str) -> None:
        """node: its URL."""
        self.node = urlsplit(node).netloc
        self.sizes: list[int] = []
        super().__init__(("127.0.0.1", 0), _Requests)

    @property
    def uri(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def check(self, call: dict[str, Any]) -> str | None:
        """Why a call is refused; None if not. Times that it sets become those of slots."""
        match call["method"]:
            case "eth_sendRawTransaction" | "eth_sendTransaction":
                size = _size(call["params"][0])
                if size > MAX_BYTES:
                    return f"oversized data: transaction size {size}, limit {MAX_BYTES}"
                self.sizes.append(size)
            case "evm_setNextBlockTimestamp":
                call["params"] = [slot_of(call["params"][0])]
            case "anvil_removeBlockTimestampInterval":
                # Which gives Anvil the machine's clock.
                call |= {"method": "anvil_setBlockTimestampInterval", "params": [SLOT_SECONDS]}
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
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        refused = self.server.check(call)
        if refused is None:
            body = json.dumps(call).encode()
            self._node.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = self._node.getresponse().read()
        else:
            error = {"code": _REFUSED, "message": refused}
            answer = json.dumps({"jsonrpc": "2.0", "id": call["id"], "error": error}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: Any) -> None:
        """A test's output is its own."""


@contextmanager
def mainnet() -> Iterator[Proxy]:
    """Connects Ape to a fresh chain with mainnet's limits, and back again afterwards."""
    accounts = ape.config.get_config("test").number_of_accounts
    options = [
        *("--hardfork", HARD_FORK, "--enable-tx-gas-limit"),
        *("--chain-id", str(CHAIN_ID), "--accounts", str(accounts)),
    ]
    network = ape.networks.ethereum.local
    with (
        anvil(*options, block_seconds=SLOT_SECONDS) as node,
        _running(Proxy(node)) as proxy,
        pytest.MonkeyPatch.context() as patch,
    ):
        # What Ape knows of every Anvil (frugal_ape.py), commands that a test starts included.
        patch.setattr(FoundryProvider, "chain_id", CHAIN_ID)
        patch.setattr(type(ape.chain), "_chain_id_cache", type(ape.chain._chain_id_cache)())
        patch.setitem(network.__dict__, "gas_limit", AutoGasLimit())
        patch.setenv("APE_FOUNDRY_HOST", proxy.uri)
        with connected(proxy.uri):
            yield proxy


def slot_of(timestamp: int) -> int:
    """The time of the first slot from `timestamp` on, Unix seconds."""
    return timestamp + (GENESIS - timestamp) % SLOT_SECONDS


def _size(transaction: Any) -> int:
    """Bytes of a signed transaction, given in hex; at most, of one that the node will sign."""
    if isinstance(transaction, str):
        return len(transaction) // 2 - 1
    return len(transaction["data"]) // 2 - 1 + ENVELOPE_BYTES


@contextmanager
def _running(proxy: Proxy) -> Iterator[Proxy]:
    with proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
