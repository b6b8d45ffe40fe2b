"""What a call would be refused with: asked of the chain at its latest block, changing nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import ape
import eth_abi
from ape.contracts import ContractContainer, ContractTransactionHandler
from eth_hash.auto import keccak
from eth_utils import to_hex
from hexbytes import HexBytes

# Errors of code that is called, but whose errors are in none of our contracts' ABIs.
_FOREIGN_ERRORS = (
    "Error(string)",
    "Panic(uint256)",
    "Paused()",
    "ERC20InsufficientAllowance(address,uint256,uint256)",
    "ERC20InsufficientBalance(address,uint256,uint256)",
    "ERC2612InvalidSigner(address,address)",
)


# The code of JSON-RPC errors that are reverts.
_REVERTED = 3


@dataclass(frozen=True)
class Refusal:
    """A revert: the error's name and its arguments, empty name for a revert without data."""

    name: str
    args: tuple[Any, ...] = ()


def refusal(
    method: ContractTransactionHandler, *args: Any, sender: Any, value: int = 0
) -> Refusal | None:
    """How the call would revert in a block with the latest block's number and time; None if not."""
    return _refusal(
        {
            "from": getattr(sender, "address", sender),
            "to": method.contract.address,
            "data": to_hex(method.encode_input(*args)),
            "value": hex(value),
        }
    )


def deployment_refusal(container: ContractContainer, *args: Any, sender: Any) -> Refusal | None:
    """How the constructor would revert; None if not."""
    transaction = container.constructor.serialize_transaction(*args)
    return _refusal({"from": sender.address, "data": to_hex(transaction.data)})


def _refusal(call: dict[str, Any]) -> Refusal | None:
    """Asked of the node without web3's layers between: tests ask thousands of times."""
    answer = ape.chain.provider.web3.provider.make_request("eth_call", [call, "latest"])
    error = answer.get("error")
    if error is None:
        return None
    if error["code"] != _REVERTED:
        raise AssertionError(f"the node refuses the call itself: {error}")
    return decode(HexBytes(error.get("data") or "0x"))


def decode(data: bytes) -> Refusal:
    """The error that the return data of a reverted call holds."""
    if not data:
        return Refusal("")
    name, types = _errors()[bytes(data[:4])]
    return Refusal(name, tuple(map(_plain, types, eth_abi.decode(types, data[4:]))))


def refused(name: str, *args: Any) -> Refusal:
    """The refusal a test expects; accounts and contracts stand for their addresses."""
    return Refusal(name, tuple(getattr(arg, "address", arg) for arg in args))


def _plain(kind: str, value: Any) -> Any:
    """Addresses with checksum, as Ape gives them."""
    if kind == "address":
        return ape.networks.provider.network.ecosystem.decode_address(value)
    return value


@cache
def _errors() -> dict[bytes, tuple[str, tuple[str, ...]]]:
    return {keccak(s.encode())[:4]: _split(s) for s in (*_signatures(), *_FOREIGN_ERRORS)}


def _signatures() -> Iterator[str]:
    for contract in ape.project.contracts.values():
        for error in contract.contract_type.errors:
            yield error.selector


def _split(signature: str) -> tuple[str, tuple[str, ...]]:
    name, _, types = signature.rstrip(")").partition("(")
    return name, tuple(filter(None, types.split(",")))
