"""What lives on every chain, at one address everywhere: contracts and factories, by CREATE2.

Whoever deploys them, on whichever chain, gets the same addresses, since those follow from the code
alone. So a contract that is there is the one, and what a file says of it is where to begin reading.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ape
import click
from ape.api import AccountAPI
from ape.contracts import ContractInstance
from eth_utils.address import to_checksum_address

from offchain.files import write_whole
from scripts._stage.chain import node_told, send_data
from scripts._stage.created import (
    DEPLOYER,
    SALT,
    container,
    created_at,
    creation,
    lives,
)

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "TradingSessionFactory": (),
    "CleanerSale": (),
    "DatasetSale": (),
    "BulletinBoard": (),
    "BordaConsensusFactory": ("BulletinBoard",),
    "SharedModelFactory": (),
}
"""What is deployed, in order, with the contracts that its constructor is told of."""


@dataclass(frozen=True)
class Deployed:
    """A contract, and the block before which it did nothing."""

    contract: ContractInstance
    block: int


@dataclass(frozen=True)
class Missing:
    """A contract that is not on the chain yet.

    Attributes:
        data: what makes `DEPLOYER` create it. gas: that this takes.
    """

    name: str
    address: str
    data: bytes
    gas: int


def deployments_path(folder: Path) -> Path:
    """The file of the connected network in `folder`, which is relative to the project."""
    network = ape.chain.provider.network
    return Path(ape.project.path) / folder / f"{network.ecosystem.name}-{network.name}.json"


def address_of(name: str) -> str:
    """Where a contract of this version is on every chain that has it."""
    return created_at(_creation(name))


def is_there(name: str) -> bool:
    """Whether the connected chain has the contract."""
    return lives(address_of(name))


def missing(names: Iterable[str] = ARGUMENTS) -> list[Missing]:
    """Which of them the connected chain does not have yet, in order, with the gas that each takes.

    Raises ClickException where the chain has no `DEPLOYER`.
    """
    if not ape.chain.provider.get_code(DEPLOYER):
        raise click.ClickException(
            f"this chain has no deployer at {DEPLOYER} (github.com/Arachnid/"
            "deterministic-deployment-proxy says how to put one there)"
        )
    found = []
    for name in names:
        if is_there(name):
            continue
        data = SALT + _creation(name)
        transaction = ape.chain.provider.network.ecosystem.create_transaction(
            receiver=DEPLOYER, data=data
        )
        gas = ape.chain.provider.estimate_gas_cost(transaction)
        found.append(Missing(name, address_of(name), data, gas))
    return found


def deploy(account: AccountAPI, one: Missing, path: Path) -> ContractInstance:
    """Creates one contract and writes to the file at `path` where and when.

    The block before is written first: who is killed in between still knows where to begin.
    """
    entries = _read(path)
    entry = {"address": one.address, "block": ape.chain.blocks.height}
    _write(path, entries | {one.name: entry})
    receipt = send_data(account, DEPLOYER, one.data)
    solidity = ape.project.config.solidity
    entry |= {
        "block": receipt.block_number,
        "transaction": receipt.txn_hash,
        "deployer": str(account.address),
        "deployed": datetime.now(UTC).isoformat(timespec="seconds"),
        "compiler": {
            "solidity": str(solidity.version),
            "evm_version": solidity.evm_version,
            "optimizer_runs": solidity.optimization_runs,
            "via_ir": bool(solidity.via_ir),
        },
    }
    _write(path, entries | {one.name: entry})
    return container(one.name).at(one.address)


def ready(account: AccountAPI, *names: str) -> list[ContractInstance]:
    """Contracts of this version on a local chain, where an account creates what is missing."""
    for one in missing(names):
        send_data(account, DEPLOYER, one.data)
    return [container(name).at(address_of(name)) for name in names]


def note_what_is_there(path: Path) -> None:
    """Writes to the file at `path` what others deployed, from which block on it may be asked."""
    entries = _read(path)
    strangers = [name for name in ARGUMENTS if name not in entries and is_there(name)]
    if strangers:
        _write(path, entries | {name: _strangers_entry(name) for name in strangers})


def find(name: str, path: Path) -> Deployed | None:
    """A contract on the connected chain; None where it is not there.

    Raises ClickException where the file at `path` is of another chain or of another version.
    """
    entry, address = _read(path).get(name), address_of(name)
    if is_there(name):
        block = entry["block"] if entry and entry["address"] == address else 0
        return Deployed(container(name).at(address), block)
    if entry and ape.chain.provider.get_code(entry["address"]):
        raise click.ClickException(
            f"{path} has {name} of another version, at {entry['address']}: run ape run deploy"
        )
    return None


def deployed(name: str, folder: Path) -> Deployed:
    """A contract on the connected chain. Raises ClickException where there is none."""
    found = find(name, deployments_path(folder))
    if found is None:
        place = f"{ape.chain.provider.network.name}{node_told()}"
        raise click.ClickException(f"no {name} on {place}: run ape run deploy first")
    return found


def _strangers_entry(name: str) -> dict[str, Any]:
    """Where and since when: by halving, where the node knows what was where in the past."""
    address = address_of(name)
    low, high = 0, ape.chain.blocks.height
    try:
        while low < high:
            middle = (low + high) // 2
            if ape.chain.provider.web3.eth.get_code(to_checksum_address(address), middle):
                high = middle
            else:
                low = middle + 1
    except Exception:  # nodes that forgot the past say so in many ways
        low = 0
    return {"address": address, "block": low}


def _creation(name: str) -> bytes:
    """Code that creates a contract, constructor's arguments included."""
    return creation(name, *(address_of(one) for one in ARGUMENTS[name]))


def _read(path: Path) -> dict[str, Any]:
    """Entries by name; none where there is no file. Raises ClickException."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text())
        chain_id, entries = content["chain_id"], dict(content["contracts"])
        for entry in entries.values():
            entry["block"] = int(entry["block"])
            entry["address"] = str(to_checksum_address(entry["address"]))
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(f"{path} is no deployments file: {error!r}") from error
    if chain_id != ape.chain.chain_id:
        raise click.ClickException(
            f"{path} is of chain {chain_id}, connected is chain {ape.chain.chain_id}"
        )
    return entries


def _write(path: Path, entries: dict[str, Any]) -> None:
    """The whole file or none of it."""
    content = {"chain_id": ape.chain.chain_id, "contracts": entries}
    write_whole(path, (json.dumps(content, indent=2) + "\n").encode())
