"""Compiles Solidity that exists for tests alone: mocks, and weakened copies of the contracts."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable
from typing import Any

import ape
import solcx
from ape.contracts import ContractContainer
from ethpm_types import ContractType

from tools.imports import closure

_OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]
_LARGEST_CODE = 24_576
"""Bytes; no chain takes a larger contract (EIP-170)."""
_OPTIMIZER = {"enabled": True, "runs": 1}
# Constants are computed and code is shared; the rest takes half of the compiler's time.
_CHEAP_OPTIMIZER = {
    "runs": 1,
    "details": {
        "peephole": True,
        "jumpdestRemover": True,
        "orderLiterals": True,
        "deduplicate": True,
        "constantOptimizer": True,
        "inliner": False,
        "cse": False,
        "yul": False,
    },
}


def compile_contracts(
    wanted: dict[str, str], sources: dict[str, str]
) -> dict[str, ContractContainer]:
    """Compiles the contracts ``wanted`` (name -> path of its file).

    Optimised lightly and not through the IR: what is compiled here is never measured, and this is
    the fastest way to code that behaves the same. Raises ValueError for more code than a chain
    takes.

    Args:
        wanted: path by contract name; the same name may come from one path only.
        sources: text by path; what it imports is added from the project and its npm packages.
    """
    compiled = _compiled(wanted, sources, _CHEAP_OPTIMIZER)
    return {name: _container(name, artifact) for name, artifact in compiled.items()}


def compile_linked(
    name: str, path: str, sources: dict[str, str], libraries: Iterable[int], *, large: bool
) -> list[ContractContainer]:
    """Compiles one contract that names the address of a library, once for each such address.

    As `compile_contracts` does. large: by the whole optimiser, for a contract that would else be
    too large; it takes twice as long.
    """
    optimizer = _OPTIMIZER if large else _CHEAP_OPTIMIZER
    (artifact,) = _compiled({name: path}, sources, optimizer).values()
    text = json.dumps(artifact)
    link = re.compile(r"__\$[0-9a-f]{34}\$__")
    return [
        _container(name, json.loads(link.sub(f"{library:040x}", text))) for library in libraries
    ]


def _compiled(
    wanted: dict[str, str], sources: dict[str, str], optimizer: dict[str, Any]
) -> dict[str, Any]:
    """The compiler's answer for each contract."""
    config = ape.project.config.solidity
    request = {
        "language": "Solidity",
        "sources": {path: {"content": text} for path, text in closure(sources).items()},
        "settings": {
            "evmVersion": config.evm_version,
            "optimizer": optimizer,
            "metadata": {"appendCBOR": False},
            "outputSelection": {
                path: {name: _OUTPUTS for name, at in wanted.items() if at == path}
                for path in wanted.values()
            },
        },
    }
    contracts = _compile(request, config.version)
    for name, path in wanted.items():
        size = len(contracts[path][name]["evm"]["deployedBytecode"]["object"]) // 2
        if size > _LARGEST_CODE:
            raise ValueError(f"{path}: {size:,} bytes of code, at most {_LARGEST_CODE:,}")
    return {name: contracts[path][name] for name, path in wanted.items()}


def _compile(request: dict, version: str) -> dict:
    """The compiler's answer, kept under .cache by the hash of all that went into it."""
    text = json.dumps(request, sort_keys=True)
    digest = hashlib.sha256(f"{version}\n{text}".encode()).hexdigest()
    kept = ape.project.path / ".cache" / "test-contracts" / f"{digest}.json"
    if not kept.is_file():
        contracts = solcx.compile_standard(request, solc_version=version)["contracts"]
        kept.parent.mkdir(parents=True, exist_ok=True)
        # Renamed into place, so that an interrupted run leaves no half of a file.
        partial = kept.with_suffix(f".{os.getpid()}")
        partial.write_text(json.dumps(contracts))
        partial.replace(kept)
    return json.loads(kept.read_text())


def _container(name: str, artifact: dict) -> ContractContainer:
    evm = artifact["evm"]
    return ContractContainer(
        ContractType.model_validate(
            {
                "contractName": name,
                "abi": artifact["abi"],
                "deploymentBytecode": {"bytecode": "0x" + evm["bytecode"]["object"]},
                "runtimeBytecode": {"bytecode": "0x" + evm["deployedBytecode"]["object"]},
            }
        )
    )
