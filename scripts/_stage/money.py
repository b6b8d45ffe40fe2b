"""Money: the native coin or an ERC-20, its name, and how its amounts are read and written."""

from __future__ import annotations

from typing import Any

import ape
import click
from ape.contracts import ContractInstance
from ape.exceptions import ConversionError
from ape.types import AddressType

from offchain.crypto.settlement import NATIVE
from offchain.report.text import plain
from scripts._stage.foreign import asked

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
    _view("name", "string"),
    _view("symbol", "string"),
    _view("decimals", "uint8"),
    _view("version", "string"),
    _view("nonces", "uint256", "address"),
    _view("DOMAIN_SEPARATOR", "bytes32"),
]


def erc20(token: str) -> ContractInstance:
    """The ERC-20 contract at a 0x address."""
    return ape.Contract(token, abi=_ABI, fetch_from_explorer=False)


def currency(token: str) -> tuple[str, int]:
    """Symbol and decimals of what pays; both are optional in ERC-20."""
    if token == NATIVE:
        return "ETH", 18
    told = asked(erc20(token), "symbol", "decimals")
    # Of one that says nothing at all Ape makes a zero.
    if told is None or not isinstance(told[0], str):
        return "units", 0
    symbol, decimals = told
    return plain(symbol, MAX_SYMBOL), min(int(decimals), 36)


def balance_of(token: str, account: str) -> int:
    """What `account` holds of the coin that pays."""
    if token == NATIVE:
        return int(ape.chain.provider.get_balance(account))
    return int(erc20(token).balanceOf(account))


def parse_amount(name: str, text: str) -> int:
    """The smallest units in `text`, as 1 ether. Raises ClickException, naming the option."""
    try:
        amount = int(ape.convert(text, int))
    except ConversionError as error:
        raise click.ClickException(
            f"{name}: {text!r} is no amount, as 1 ether or 5 gwei"
        ) from error
    if not 0 < amount < 2**96:
        raise click.ClickException(f"{name}: {text} is {amount} wei, must be 1 to 2^96 - 1")
    return amount


def parse_token(text: str | None) -> str:
    """The address of an ERC-20, or what stands for the native coin. Raises ClickException."""
    if text is None:
        return NATIVE
    try:
        address = str(ape.convert(text, AddressType))
    except ConversionError as error:
        raise click.ClickException(f"token: {text!r} is no address") from error
    if not ape.chain.provider.get_code(address):
        raise click.ClickException(f"token: no contract lives at {address}")
    return address
