"""Versions of the tools, and the state of the chain, that a run was made with."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import version

import ape


def versions() -> dict[str, str]:
    """Versions by name, with the compiler's settings, the commit and the block."""
    solidity = ape.project.config.solidity
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "python": platform.python_version(),
        "torch": version("torch"),
        "eth-ape": version("eth-ape"),
        "node": str(ape.chain.provider.client_version),
        "solidity": f"{solidity.version}, {solidity.evm_version} rules, via IR, "
        f"{solidity.optimization_runs} optimizer runs",
        "block": str(ape.chain.blocks.height),
        "commit": commit.stdout.strip() or "not a git checkout",
    }
