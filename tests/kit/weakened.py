"""Copies of a contract with one defence taken out, against which an attack must succeed.

The copies are made from the contracts as they are now, by replacing text that must be there, so a
copy never outlives a change of the original.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import ape
from ape.contracts import ContractContainer

from tests.kit.solidity import closure, compile_contracts

Change = tuple[str, str, str]
"""File, text that is there exactly once, text instead."""


def compile_copies(
    weakenings: Mapping[str, Sequence[Change]], contract: str
) -> dict[str, ContractContainer]:
    """The weakened contracts by the names of `weakenings`, all from one run of the compiler.

    contract: path of the contract's file, which has its name; what it imports of the project is
    copied with it.
    """
    title = f"contract {Path(contract).stem} is"
    source = {contract: (ape.project.path / contract).read_text()}
    own = {path: text for path, text in closure(source).items() if path.startswith("contracts/")}
    sources: dict[str, str] = {}
    wanted: dict[str, str] = {}
    for number, (name, changes) in enumerate(weakenings.items()):
        copy = dict(own)
        for path, there, instead in changes:
            if copy[path].count(there) != 1:
                raise AssertionError(f"{name}: not exactly once in {path}: {there!r}")
            copy[path] = copy[path].replace(there, instead)
        # Each copy has its own contract name, as a compiler's output is asked for by name.
        copy[contract] = copy[contract].replace(title, f"contract Weak{number} is")
        sources |= {f"weak{number}/{path}": text for path, text in copy.items()}
        wanted[f"Weak{number}"] = f"weak{number}/{contract}"
    compiled = compile_contracts(wanted, sources)
    return {name: compiled[f"Weak{number}"] for number, name in enumerate(weakenings)}
