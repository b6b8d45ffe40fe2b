"""A public testnet behind a hosted node: a range and a number of logs at most, busy at times.

The chain is an Anvil with Sepolia's id, to which Ape is connected as to Sepolia: nothing that moves
a local chain's time or mines its blocks works through Ape, as out there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import ape
import pytest
from web3 import HTTPProvider, Web3

from tests.kit.addresses import forgotten_afterwards
from tests.kit.node import anvil
from tests.kit.proxy import Busy, HungUp, Proxy, running

CHAIN_ID = 11_155_111


class HostedProxy(Proxy):
    """Refuses wide ranges and many logs; of some requests it takes no notice, or hangs up.

    Attributes:
        most_blocks: of one range. most_logs: of one answer. trouble: share of requests that fail.
        asked: ranges of logs and hashes of blocks that were asked for.
    """

    def __init__(self, node: str, most_blocks: int = 1_000, most_logs: int = 10_000) -> None:
        super().__init__(node)
        self.direct = Web3(HTTPProvider(node))
        self.most_blocks = most_blocks
        self.most_logs = most_logs
        self.trouble = 0.0
        self.asked: list[dict[str, Any]] = []
        self._random = Random(0)

    def check(self, call: dict[str, Any]) -> dict[str, Any] | None:
        if self._random.random() < self.trouble:
            raise self._random.choice([Busy(429), Busy(503), HungUp()])
        if call["method"] == "eth_getLogs":
            (query,) = call["params"]
            self.asked.append(query)
            blocks = self._blocks(query)
            if blocks > self.most_blocks:
                said = f"range {blocks} exceeds limit of {self.most_blocks}"
                return {"code": -32_602, "message": said}
        return None

    def answered(self, call: dict[str, Any], result: Any) -> dict[str, Any] | None:
        if call["method"] == "eth_getLogs" and len(result or ()) > self.most_logs:
            return {
                "code": -32_005,
                "message": f"query returned more than {self.most_logs} results",
            }
        return None

    def mine(self, blocks: int) -> None:
        """What others do meanwhile: so many blocks, behind Ape's back."""
        self.direct.provider.make_request("anvil_mine", [hex(blocks)])

    def reorganise(self, depth: int) -> None:
        """As many other blocks, empty, in place of the last ones."""
        self.direct.provider.make_request("anvil_reorg", [depth, []])

    def _blocks(self, query: dict[str, Any]) -> int:
        if "blockHash" in query:
            return 1
        last = query["toBlock"]
        height = self.direct.eth.block_number if last == "latest" else int(last, 16)
        return height - int(query["fromBlock"], 16) + 1


@contextmanager
def ticking(proxy: HostedProxy, blocks_per_second: float, block_seconds: int) -> Iterator[None]:
    """A chain whose blocks come by themselves, each so many seconds after the one before.

    Its time runs at a multiple of the clock's, which no party sets.
    """
    over = threading.Event()
    node = Web3(HTTPProvider(proxy.direct.provider.endpoint_uri))

    def tick() -> None:
        while not over.wait(1 / blocks_per_second):
            node.provider.make_request("evm_mine", [])

    proxy.direct.provider.make_request("anvil_setBlockTimestampInterval", [block_seconds])
    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@contextmanager
def hosted() -> Iterator[HostedProxy]:
    """Connects Ape to Sepolia as a hosted node shows it, and back again afterwards."""
    accounts = ape.config.get_config("test").number_of_accounts
    options = ("--hardfork", "prague", "--chain-id", str(CHAIN_ID), "--accounts", str(accounts))
    with (
        anvil(*options, block_seconds=1) as node,
        running(HostedProxy(node)) as proxy,
        connected_to_testnet(proxy.uri),
    ):
        yield proxy


@contextmanager
def connected_to_testnet(uri: str) -> Iterator[None]:
    """Connects Ape to Sepolia at that address, and back again afterwards."""
    network = ape.networks.ethereum.sepolia
    with (
        pytest.MonkeyPatch.context() as patch,
        network.use_provider("node", provider_settings={"uri": uri}),
        forgotten_afterwards(and_before=True),
    ):
        # There is no snapshot of such a chain. If Ape found out, it would take none for the rest of
        # the run either, and no later test would be undone.
        patch.setattr(type(ape.chain), "snapshot", lambda _: None)
        # Blocks are mined for transactions alone: nobody would ever be confirmed.
        patch.setattr(type(network), "required_confirmations", 0)
        yield
