"""An Anvil of a test's own.

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
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory

import ape
from web3 import HTTPProvider, Web3

from tests.kit.addresses import forgotten_afterwards

START_SECONDS = 20
GENESIS = 2_000_000_000


@contextmanager
def quiet_node() -> Iterator[None]:
    """Connects Ape to a fresh Anvil with the project's hard fork, and back again afterwards."""
    with (
        anvil("--hardfork", ape.project.config.foundry.evm_version, block_seconds=1) as uri,
        connected(uri),
    ):
        yield


@contextmanager
def anvil(*options: str, block_seconds: int) -> Iterator[str]:
    """Runs a fresh Anvil without fees: where it answers. block_seconds: from block to block."""
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    with ExitStack() as stack:
        # It leaves what it was like at earlier blocks, a gigabyte perhaps, in its user's home else.
        states = stack.enter_context(TemporaryDirectory(prefix="souk-anvil-"))
        command = [
            shutil.which("anvil") or "anvil",
            *("--port", str(port), "--silent", "--cache-path", states, *options),
            *("--mnemonic", ape.config.get_config("test").mnemonic),
            *("--timestamp", str(GENESIS)),
            *("--gas-price", "0", "--block-base-fee-per-gas", "0"),
        ]
        process = stack.enter_context(subprocess.Popen(command))
        try:
            _await(uri).provider.make_request("anvil_setBlockTimestampInterval", [block_seconds])
            yield uri
        finally:
            process.terminate()


def free_port() -> int:
    """One of this machine's on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def connected(uri: str) -> Iterator[None]:
    """Connects Ape to the Anvil there, and back again afterwards."""
    network = ape.networks.ethereum.local
    with (
        network.use_provider("foundry", provider_settings={"host": uri}),
        forgotten_afterwards(and_before=True),
    ):
        yield


def _await(uri: str) -> Web3:
    node = Web3(HTTPProvider(uri))
    deadline = time.monotonic() + START_SECONDS
    while not node.is_connected():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Anvil did not answer at {uri} within {START_SECONDS} s")
        time.sleep(0.05)
    return node
