"""Contracts whose address follows from what made them: code, arguments, salt, and who passed it on.

Whoever knows the address knows that the contract was made by exactly this code, with these
arguments, and has had no other past: its storage holds what the constructor and later calls wrote.
"""

from __future__ import annotations

from typing import Any

import ape
from ape.api import AccountAPI, ReceiptAPI
from ape.contracts import ContractContainer
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from scripts._stage.chain import ActionRefused, send_data

DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
"""Passes the code behind a salt on to CREATE2; the same on nearly all chains, Anvil included."""
SALT = bytes(32)


def container(name: str) -> ContractContainer:
    """The project's contract of that name."""
    found: ContractContainer = getattr(ape.project, name)
    return found


def creation(name: str, *arguments: Any) -> bytes:
    """Code that creates a contract, its constructor's arguments included."""
    code = container(name).contract_type.get_deployment_bytecode()
    assert code is not None, name
    ecosystem = ape.chain.provider.network.ecosystem
    if not arguments:
        return bytes(code)
    abi = container(name).constructor.abi
    return bytes(code) + bytes(ecosystem.encode_calldata(abi, *arguments))


def created_at(code: bytes, salt: bytes = SALT, maker: str = DEPLOYER) -> str:
    """Where `maker` puts what `code` creates under `salt`, 32 bytes (EIP-1014)."""
    word = keccak(b"\xff" + bytes.fromhex(maker[2:]) + salt + keccak(code))
    return str(to_checksum_address(word[-20:]))


def lives(address: str) -> bool:
    """Whether the connected chain has code at `address`."""
    return len(ape.chain.provider.get_code(address)) > 0


def create(account: AccountAPI, code: bytes, salt: bytes = SALT) -> ReceiptAPI | None:
    """Has `DEPLOYER` make what `code` creates; None where it came from elsewhere meanwhile, as from
    a process that was killed while it waited for it. Raises ActionRefused."""
    try:
        return send_data(account, DEPLOYER, salt + code)
    except ActionRefused:
        if not lives(created_at(code, salt)):
            raise
        return None
