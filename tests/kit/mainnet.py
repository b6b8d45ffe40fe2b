"""A chain with mainnet's limits: Anvil, and before it a proxy for those that Anvil does not have.

- A transaction has at most 16,777,216 gas (EIP-7825): Anvil refuses more.
- A transaction has at most 131,072 bytes, signed, as public pools have it: the proxy refuses more.
- Blocks have the times of slots, 12 s apart. They are mined on demand: what asks for a time in
  between gets the next slot, and a test that stops the clock has several transactions in one slot.
- The chain's id is mainnet's, and gas is estimated, as Ape does on every chain that is not local.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ape
import pytest
from ape.types import AutoGasLimit
from ape_foundry import FoundryProvider

from tests.kit.node import GENESIS, anvil, connected
from tests.kit.proxy import Proxy, running

CHAIN_ID = 1
HARD_FORK = "osaka"
MAX_GAS = 16_777_216
MAX_BYTES = 131_072
SLOT_SECONDS = 12
ENVELOPE_BYTES = 200
"""More than a signed transaction has beside its data."""

_REFUSED = -32_000


class LimitedProxy(Proxy):
    """Passes on to a node what mainnet's nodes would take, and answers the rest as they do.

    sizes: bytes of each transaction that was passed on.
    """

    def __init__(self, node: str) -> None:
        super().__init__(node)
        self.sizes: list[int] = []

    def check(self, call: dict[str, Any]) -> dict[str, Any] | None:
        """Times that it sets become those of slots."""
        match call["method"]:
            case "eth_sendRawTransaction" | "eth_sendTransaction":
                size = _size(call["params"][0])
                if size > MAX_BYTES:
                    said = f"oversized data: transaction size {size}, limit {MAX_BYTES}"
                    return {"code": _REFUSED, "message": said}
                self.sizes.append(size)
            case "evm_setNextBlockTimestamp":
                call["params"] = [slot_of(call["params"][0])]
            case "anvil_removeBlockTimestampInterval":
                # Which gives Anvil the machine's clock.
                call |= {"method": "anvil_setBlockTimestampInterval", "params": [SLOT_SECONDS]}
        return None


@contextmanager
def mainnet() -> Iterator[LimitedProxy]:
    """Connects Ape to a fresh chain with mainnet's limits, and back again afterwards."""
    accounts = ape.config.get_config("test").number_of_accounts
    options = [
        *("--hardfork", HARD_FORK, "--enable-tx-gas-limit"),
        *("--chain-id", str(CHAIN_ID), "--accounts", str(accounts)),
    ]
    network = ape.networks.ethereum.local
    with (
        anvil(*options, block_seconds=SLOT_SECONDS) as node,
        running(LimitedProxy(node)) as proxy,
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
