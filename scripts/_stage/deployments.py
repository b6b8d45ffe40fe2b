"""The deployments file: where the factory lives on each network, and how it was compiled."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ape
import click
from ape.api import AccountAPI
from ape.contracts import ContractInstance

from scripts._stage.accounts import is_local


def deployments_path(folder: Path) -> Path:
    """The file of the connected network in `folder`, which is relative to the project."""
    network = ape.chain.provider.network
    return Path(ape.project.path) / folder / f"{network.ecosystem.name}-{network.name}.json"


def deploy_factory(account: AccountAPI, path: Path) -> ContractInstance:
    """Deploys the factory and writes it to the deployments file at `path`."""
    factory = account.deploy(ape.project.TradingSessionFactory)
    receipt = factory.creation_metadata.receipt if factory.creation_metadata else None
    solidity = ape.project.config.solidity
    entry = {
        "address": str(factory.address),
        "deployer": str(account.address),
        "block": receipt.block_number if receipt else ape.chain.blocks.height,
        "transaction": receipt.txn_hash if receipt else None,
        "deployed": datetime.now(UTC).isoformat(timespec="seconds"),
        "compiler": {
            "solidity": str(solidity.version),
            "evm_version": solidity.evm_version,
            "optimizer_runs": solidity.optimization_runs,
            "via_ir": bool(solidity.via_ir),
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"chain_id": ape.chain.chain_id, "contracts": {"TradingSessionFactory": entry}}
    path.write_text(json.dumps(content, indent=2) + "\n")
    return factory


@dataclass(frozen=True)
class Deployed:
    """A factory, and the block before which it made nothing."""

    contract: ContractInstance
    block: int


def find_factory(path: Path) -> Deployed | None:
    """The factory of the deployments file at `path`; None if there is no file.

    Raises ClickException where the file is of another chain, or nothing lives at its address,
    unless the chain is local: it came after the one that the file is of, and there is none either.
    """
    if not path.exists():
        return None
    try:
        content: dict[str, Any] = json.loads(path.read_text())
        chain_id = content["chain_id"]
        entry = content["contracts"]["TradingSessionFactory"]
        address, block = entry["address"], int(entry["block"])
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{path} is no deployments file: {error!r}") from error
    if is_local() and not ape.chain.provider.get_code(address):
        return None
    if chain_id != ape.chain.chain_id:
        raise click.ClickException(
            f"{path} is of chain {chain_id}, connected is chain {ape.chain.chain_id}"
        )
    if not ape.chain.provider.get_code(address):
        raise click.ClickException(f"{path} names {address}, where no contract lives")
    if not _is_factory(address):
        raise click.ClickException(
            f"{path} names {address}, which is no TradingSessionFactory of this version"
        )
    return Deployed(ape.project.TradingSessionFactory.at(address), block)


def _is_factory(address: str) -> bool:
    """Whether this version's factory lives at `address`, whatever its immutables are."""
    ours = ape.project.TradingSessionFactory.contract_type.get_runtime_bytecode() or b""
    found = bytes(ape.chain.provider.get_code(address))
    # Solidity leaves zeros where it will write an immutable.
    return len(found) == len(ours) and all(a == b for a, b in zip(ours, found, strict=True) if a)
