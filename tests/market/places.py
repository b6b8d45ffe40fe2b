"""Where the market's parties meet: a chain whose time runs by itself, and two datastores."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import ape

from scripts._stage.chain import HOME
from scripts._stage.deployments import deploy, deployments_path, missing
from tests.kit.ipfs_daemon import running_daemon
from tests.kit.node import anvil, connected

BLOCK_SECONDS = 1
"""Wall time between two blocks."""


@dataclass(frozen=True)
class Places:
    """What all parties are told.

    node: where the chain is. deployments: folder of the files about its contracts.
    datastores: multiaddresses of the HTTP interfaces of two nodes that know each other.
    """

    node: str
    deployments: Path
    datastores: tuple[str, str]


@contextmanager
def places(folder: Path, speed: int, contracts: tuple[str, ...]) -> Iterator[Places]:
    """Runs them, with these contracts on the chain. speed: of its time, in seconds a second."""
    os.environ[HOME] = str(folder / "deployer")
    accounts = str(ape.config.get_config("test").number_of_accounts)
    options = "--hardfork", "prague", "--block-time", str(BLOCK_SECONDS), "--accounts", accounts
    with ExitStack() as stack:
        uri = stack.enter_context(anvil(*options, block_seconds=speed * BLOCK_SECONDS))
        stack.enter_context(connected(uri))
        path = deployments_path(folder / "deployments")
        for one in missing(contracts):
            deploy(ape.accounts.test_accounts[0], one, path)
        nodes = []
        for name in ("first", "second"):
            own = folder / "datastores" / name
            own.mkdir(parents=True)
            nodes.append(stack.enter_context(running_daemon(own, peers=True)))
        acquaint(*nodes)
        yield Places(uri, path.parent, (nodes[0], nodes[1]))


def acquaint(one: str, other: str) -> None:
    """Connects two datastores."""
    (address, *_) = _ask(other, "id")["Addresses"]
    _ask(one, f"swarm/connect?arg={quote(address)}")


def _ask(node: str, request: str) -> dict[str, list[str]]:
    host, port = re.findall(r"/ip4/([\d.]+)/tcp/(\d+)", node)[0]
    url = f"http://{host}:{port}/api/v0/{request}"
    with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=30) as answer:
        found: dict[str, list[str]] = json.load(answer)
        return found
