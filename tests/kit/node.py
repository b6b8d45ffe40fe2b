"""An Anvil of the measurement's own.

Ape starts Anvil with ``--steps-tracing``, which keeps every step of every transaction: a call of
ten million gas then takes the node longer than the 20 s that Ape waits for it. Without tracing it
takes milliseconds. A chain of its own, whose clock is not the machine's, also makes every address,
time and block hash, and so every figure, the same in every run.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import ape
from web3 import HTTPProvider, Web3

from tests.kit.addresses import forgotten_afterwards

START_SECONDS = 20
GENESIS = 2_000_000_000


@contextmanager
def quiet_node() -> Iterator[None]:
    """Connects Ape to a fresh Anvil with the project's hard fork, and back again afterwards."""
    settings = ape.project.config.foundry
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        shutil.which("anvil") or "anvil",
        *("--port", str(port), "--hardfork", settings.evm_version, "--silent"),
        *("--mnemonic", ape.config.get_config("test").mnemonic),
        *("--timestamp", str(GENESIS)),
        *("--gas-price", "0", "--block-base-fee-per-gas", "0"),
    ]
    uri = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command) as process:
        try:
            _await(uri).provider.make_request("anvil_setBlockTimestampInterval", [1])
            network = ape.networks.ethereum.local
            with (
                network.use_provider("foundry", provider_settings={"host": uri}),
                forgotten_afterwards(and_before=True),
            ):
                yield
        finally:
            process.terminate()


def _await(uri: str) -> Web3:
    node = Web3(HTTPProvider(uri))
    deadline = time.monotonic() + START_SECONDS
    while not node.is_connected():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Anvil did not answer at {uri} within {START_SECONDS} s")
        time.sleep(0.05)
    return node
