"""Copies of a contract with one defence taken out, against which an attack must succeed.

The copies are made from the contracts as they are now, by replacing text that must be there, so a
copy never outlives a change of the original.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import ape
import pytest
from ape.contracts import ContractContainer, ContractInstance
from eth_hash.auto import keccak

from offchain.crypto.commitments import word
from offchain.crypto.disputable import DOMAIN_TYPE, FileDomain
from tests.kit.snapshots import undone
from tests.kit.solidity import closure, compile_contracts

Change = tuple[str, str, str]
"""File, text that is there exactly once, text instead."""

Weakenings = Mapping[str, Change | tuple[Change, ...]]
"""Name of a copy -> what makes it."""

# Changes that more than one contract is weakened by.
NOBODYS_FILES: Change = (
    "contracts/exchange/ChunkedFile.sol",
    "block.chainid, address(this), seller, label",
    "block.chainid, label",
)
"""What a file's commitments are bound to names neither contract nor seller."""


@contextmanager
def nobodys_files() -> Iterator[None]:
    """Inside, the Python twin commits to files as a copy with NOBODYS_FILES does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FileDomain, "digest", property(_nobodys))
        yield


def _nobodys(domain: FileDomain) -> bytes:
    return keccak(DOMAIN_TYPE + word(domain.chain_id) + domain.label)


def check_attack(
    attack: Callable[..., bool],
    contract: ContractInstance,
    weak: ContractInstance,
    *parties: Any,
    twin: AbstractContextManager[None] | None = None,
) -> None:
    """Asserts that an attack fails against the contract, and succeeds against the weakened copy.

    attack: takes contract and parties, and says whether it succeeded; what it does is undone.
    twin: what the Python twin of the copy needs.
    """
    with undone():
        assert not attack(contract, *parties)
    with undone(), twin or nullcontext():
        assert attack(weak, *parties)


def compile_copies(
    weakenings: Weakenings, contract: str, *, large: bool = False
) -> dict[str, ContractContainer]:
    """The weakened contracts by the names of `weakenings`, all from one run of the compiler.

    contract: path of the contract's file, which has its name; what it imports of the project is
    copied with it. large: as `compile_contracts` has it.
    """
    title = f"contract {Path(contract).stem} is"
    source = {contract: (ape.project.path / contract).read_text()}
    own = {path: text for path, text in closure(source).items() if path.startswith("contracts/")}
    sources: dict[str, str] = {}
    wanted: dict[str, str] = {}
    for number, (name, changes) in enumerate(weakenings.items()):
        copy = dict(own)
        for path, there, instead in (changes,) if isinstance(changes[0], str) else changes:
            if copy[path].count(there) != 1:
                raise AssertionError(f"{name}: not exactly once in {path}: {there!r}")
            copy[path] = copy[path].replace(there, instead)
        # Each copy has its own contract name, as a compiler's output is asked for by name.
        copy[contract] = copy[contract].replace(title, f"contract Weak{number} is")
        sources |= {f"weak{number}/{path}": text for path, text in copy.items()}
        wanted[f"Weak{number}"] = f"weak{number}/{contract}"
    compiled = compile_contracts(wanted, sources, large=large)
    return {name: compiled[f"Weak{number}"] for number, name in enumerate(weakenings)}
