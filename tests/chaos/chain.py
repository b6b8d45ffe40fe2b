"""A chain that outlives its node: Anvil with a testnet's id, killed and begun where it was."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any, Self

import ape
from web3 import HTTPProvider, Web3
from web3.types import RPCEndpoint

from tests.kit.hosted import CHAIN_ID
from tests.kit.node import GENESIS, START_SECONDS, free_port

STATE = "state.json"
COMING_SECONDS = 1
"""Wall time, and the chain's, between two blocks."""


class Chain:
    """A node on a port of its own, with its state in a folder.

    Its time is the wall's, until somebody moves it on. What the last second brought is lost when
    it is killed.

    Attributes:
        lock: held while there is no node, and by whoever asks it.
    """

    def __init__(
        self, folder: Path, *, keeps: bool = True, block_time: int | None = COMING_SECONDS
    ) -> None:
        """folder: may hold a state to begin with. keeps: whether it is written every second.
        block_time: None to mine for each transaction."""
        self._state = folder / STATE
        self._states = folder / "states"  # of earlier blocks; in its user's home else
        self._port = free_port()
        state = str(self._state)
        self._kept_in = ["--state", state, "--state-interval", "1"] if keeps else []
        if not keeps and self._state.exists():
            self._kept_in = ["--load-state", state]
        self._coming = ["--block-time", str(block_time)] if block_time else []
        self.uri = f"http://127.0.0.1:{self._port}"
        self.web3 = Web3(HTTPProvider(self.uri))
        self._process: subprocess.Popen[bytes] | None = None
        self._begun = 0
        self.lock = RLock()

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._states, ignore_errors=True)

    def kept(self) -> Path:
        """A copy of the state as it was written last, which is whole."""
        copy = self._state.with_suffix(".kept")
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                shutil.copy(self._state, copy)
                json.loads(copy.read_bytes())
            except (OSError, ValueError):  # it is being written
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return copy

    def kill(self, away: float) -> None:
        """SIGKILL; after `away` seconds it is begun again, with what it had written."""
        assert self._process is not None
        with self.lock:
            copy = self.kept()
            self._process.kill()
            self._process.wait()
            shutil.copy(copy, self._state)
            time.sleep(away)
            self._start()

    def reorganise(self, depth: int) -> int:
        """As many other blocks, empty, in place of the last ones; how many, since of what came
        before its node began it knows the end alone. Time does not go back."""
        height, now = self.height(), self.now()
        depth = min(depth, height - self._begun - 1)
        if depth < 1:
            return 0
        self.ask("anvil_reorg", depth, [])
        self.go_to(now + 1)
        return depth

    def height(self) -> int:
        """The newest block's number."""
        return int(self.ask("eth_blockNumber"), 16)

    def now(self) -> int:
        """The newest block's time."""
        return int(self.ask("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def go_to(self, timestamp: int) -> None:
        """The next block has this time, unless it came meanwhile with a later one."""
        with suppress(RuntimeError):
            self.ask("evm_setNextBlockTimestamp", timestamp)

    def ask(self, method: str, *parameters: Any) -> Any:
        """One request to the node itself, which no fault stands before. Raises RuntimeError."""
        with self.lock:
            answer = self.web3.provider.make_request(RPCEndpoint(method), list(parameters))
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def _start(self) -> None:
        line = [
            *(shutil.which("anvil") or "anvil", "--port", str(self._port), "--silent"),
            *("--hardfork", "prague", "--chain-id", str(CHAIN_ID), *self._coming),
            *("--mnemonic", ape.config.get_config("test").mnemonic),
            *("--timestamp", str(GENESIS)),
            *("--gas-price", "0", "--block-base-fee-per-gas", "0"),
            *("--cache-path", str(self._states), *self._kept_in),
        ]
        shutil.rmtree(self._states, ignore_errors=True)
        self._process = subprocess.Popen(line)
        deadline = time.monotonic() + START_SECONDS
        while not self.web3.is_connected():
            if time.monotonic() > deadline:
                raise TimeoutError(f"Anvil did not answer at {self.uri} within {START_SECONDS} s")
            time.sleep(0.05)
        self.ask("anvil_setBlockTimestampInterval", COMING_SECONDS)
        self._begun = self.height()
        # It counts from its first block otherwise.
        self.go_to(self.now() + 1)
