"""One life of a party: its command, as a bot or not, on a public testnet's id.

python -m tests.chaos.life silverback run party ...
python -m tests.chaos.life withdraw REFERENCE ...

It looks more often and gives up earlier than a user's would, since here a minute is a run. What it
waits for is written to a file, so that time passes when all wait.
"""

from __future__ import annotations

import json
import os
import sys
import time
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import scripts._stage.chain as chain
import scripts._stage.node as node
import scripts._stage.party as party
from offchain.files import write_whole
from offchain.storage import ipfs
from scripts._stage.outbox import Patience

STANDING = "CHAOS_STANDING"
"""Environment variable: the file of what the party waits for."""
SKEW = "CHAOS_SKEW"
"""Environment variable: seconds by which the party's clock is ahead."""

POLL_SECONDS = 0.5
STORE_SECONDS = 4.0
"""That a datastore may take."""
NODE_SECONDS = 6
"""That a node may take."""


class Waiting:
    """Counts how often in a row the party looked and had nothing to do."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looks = 0

    def until(self, time_: int | None) -> None:
        """It waits: for a time of the chain, None: for a block."""
        self._looks += 1
        said = {"life": os.getpid(), "looks": self._looks, "until": time_}
        write_whole(self._path, json.dumps(said).encode())


def impatient() -> None:
    """Shortens what a party waits for others."""
    chain.POLL_SECONDS = POLL_SECONDS
    chain.patience = lambda: Patience(confirmations=1, poll_seconds=0.3, lag_seconds=20)
    node.have_patience = partial(node.have_patience, 0.05)
    node.TIMEOUT_SECONDS = NODE_SECONDS
    party.PAUSE_SECONDS = 1.0
    made = ipfs.IpfsDatastore.__init__
    ipfs.IpfsDatastore.__init__ = partial_method(made, timeout=STORE_SECONDS)


def partial_method(method: Any, **said: Any) -> Any:
    """The method, with arguments that are said."""

    def called(self: Any, *arguments: Any) -> None:
        method(self, *arguments, **said)

    return called


def telling(waiting: Waiting) -> None:
    """Has a party tell what it waits for. Before whatever uses these functions is imported."""
    until, block = chain.wait_until, chain.next_block

    def wait_until(timestamp: int) -> None:
        waiting.until(timestamp)
        until(timestamp)

    def next_block() -> None:
        waiting.until(None)
        block()

    chain.wait_until, chain.next_block = wait_until, next_block
    for module in list(sys.modules.values()):
        for name, old, new in (
            ("wait_until", until, wait_until),
            ("next_block", block, next_block),
        ):
            ours = getattr(module, "__name__", "").startswith("scripts.")
            if ours and getattr(module, name, None) is old and module is not chain:
                setattr(module, name, new)


def skewed(seconds: float) -> None:
    """The machine's clock, so much ahead."""
    right = time.time
    time.time = lambda: right() + seconds


def main(line: list[str]) -> None:
    impatient()
    telling(Waiting(Path(os.environ[STANDING])))
    skewed(float(os.environ.get(SKEW, "0")))
    if line[0] == "silverback":
        sys.argv = line
        silverback: Any = import_module("silverback._cli").cli
        silverback()
    else:
        import_module(f"scripts.{line[0]}").cli(line[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
