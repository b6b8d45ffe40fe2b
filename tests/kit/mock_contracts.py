"""The Solidity under mocks/: tokens and accounts that misbehave."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ape.contracts import ContractContainer, ContractInstance

from tests.kit.solidity import compile_contracts
from tests.kit.units import ETHER

_FOLDER = Path(__file__).parent / "mocks"
_CONTRACTS = {
    "PlainToken": "Tokens.sol",
    "PermitToken": "Tokens.sol",
    "NamesakeToken": "Tokens.sol",
    "FeeToken": "Tokens.sol",
    "SurchargeToken": "Tokens.sol",
    "FalseToken": "Tokens.sol",
    "LyingToken": "Tokens.sol",
    "SecretiveToken": "Tokens.sol",
    "PausingToken": "Tokens.sol",
    "NoZeroToken": "Tokens.sol",
    "HookToken": "Tokens.sol",
    "SilentToken": "Tokens.sol",
    "Puppet": "Puppet.sol",
    "Force": "Puppet.sol",
    "Forger": "Puppet.sol",
}
PLENTY = 1_000_000 * ETHER


def compile_mocks() -> dict[str, ContractContainer]:
    """Compiles all mocks of contracts, by name."""
    sources = {file.name: file.read_text() for file in sorted(_FOLDER.glob("*.sol"))}
    return compile_contracts(_CONTRACTS, sources)


def deploy_token(
    container: ContractContainer, deployer: Any, holders: Iterable[Any]
) -> ContractInstance:
    """A token of which each of ``holders`` has plenty."""
    token = deployer.deploy(container)
    for holder in holders:
        token.mint(holder, PLENTY, sender=deployer)
    return token
