"""What is needed of an ERC-20: its calls, its name and how its amounts are written."""

from __future__ import annotations

from typing import Any

import ape
from ape.contracts import ContractInstance
from ape.exceptions import ApeException

from offchain.hyperx.terms import NATIVE
from offchain.report.text import plain

MAX_SYMBOL = 12
"""Characters of a token's symbol that are shown; it is a stranger's text."""


def _view(name: str, output: str, *inputs: str) -> dict[str, Any]:
    return _method(name, "view", [output], inputs)


def _method(name: str, kind: str, outputs: list[str], inputs: tuple[str, ...]) -> dict[str, Any]:
    return {
        "type": "function",
        "name": name,
        "stateMutability": kind,
        "inputs": [{"name": f"input{i}", "type": one} for i, one in enumerate(inputs)],
        "outputs": [{"name": "", "type": one} for one in outputs],
    }


_ABI = [
    _method("approve", "nonpayable", ["bool"], ("address", "uint256")),
    _view("balanceOf", "uint256", "address"),
    _view("symbol", "string"),
    _view("decimals", "uint8"),
]


def erc20(token: str) -> ContractInstance:
    """The token at a 0x address."""
    return ape.Contract(token, abi=_ABI, fetch_from_explorer=False)


def currency(token: str) -> tuple[str, int]:
    """Symbol and decimals of what pays; both are optional in ERC-20."""
    if token == NATIVE:
        return "ETH", 18
    contract = erc20(token)
    try:
        return plain(str(contract.symbol()), MAX_SYMBOL), min(int(contract.decimals()), 36)
    except ApeException:
        return "units", 0
