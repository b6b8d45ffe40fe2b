"""Copies of a contract with one defence taken out, against which an attack must succeed.

The copies are made from the contracts as they are now, by replacing text that must be there, so a
copy never outlives a change of the original. One contract is compiled that has all weaknesses, each
behind a switch: a contract for each takes as many times as long.
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
from tests.kit.solidity import compile_linked
from tools.imports import closure

Change = tuple[str, str, str]
"""File, text that is there exactly once, text instead."""

Weakenings = Mapping[str, Change | tuple[Change, ...]]
"""Name of a copy -> what makes it."""

# Changes that more than one contract is weakened by.
NOBODYS_FILES: Change = (
    "contracts/exchange/ChunkedFile.sol",
    "abi.encode(DOMAIN_TYPE, block.chainid, address(this), seller, label)",
    "abi.encode(DOMAIN_TYPE, block.chainid, label)",
)
"""What a file's commitments are bound to names neither contract nor seller."""
_PERMIT = (
    "IERC20Permit(token)\n            .permit(msg.sender, address(this), amount,"
    " signed.deadline, signed.v, signed.r, signed.s)"
)
OWN_PERMIT: Change = (
    "contracts/exchange/Payment.sol",
    f"try {_PERMIT} {{}}\n            catch {{}}",
    f"{_PERMIT};",
)
"""A permit that somebody used before takes the call along that came with it."""


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


# A copy is linked to the number of its weakness in the place of this library's address.
_SWITCH = "switch.sol"
_SWITCH_TEXT = """pragma solidity 0.8.30;
library Weakness {
    function none() external {}
}
function isWeak(uint256 number) pure returns (bool) {
    return uint160(address(Weakness)) == number;
}
"""


def compile_switched(
    weakenings: Weakenings, contract: str, *, large: bool = False
) -> dict[str, ContractContainer]:
    """The weakened contracts by the names of `weakenings`, which differ by one address.

    contract: path of the contract's file, which has its name. Each change replaces whole statements
    that declare nothing, or an expression; lines that both texts have before or after these may
    say which place is meant. A change of an import is made in all copies, where it does nothing.
    large: as `compile_linked` has it.
    """
    source = {contract: (ape.project.path / contract).read_text()}
    before = closure(source)
    sources = dict(before)
    for number, (name, changes) in enumerate(weakenings.items(), 1):
        for path, there, instead in (changes,) if isinstance(changes[0], str) else changes:
            _require_once(name, path, there, before[path])
            # Weaknesses may share a place: what is there now is in the last switch's other way.
            _require_once(name, path, there, sources[path])
            an_import = there.startswith("import ")
            switched = instead if an_import else _switched(number, there, instead)
            sources[path] = sources[path].replace(there, switched)
    for path, text in sources.items():
        if text != before[path]:
            sources[path] = f'{text}\nimport {{isWeak}} from "{_SWITCH}";\n'
    title = Path(contract).stem
    sources[_SWITCH] = _SWITCH_TEXT
    numbers = range(1, len(weakenings) + 1)
    copies = compile_linked(title, contract, sources, numbers, large=large)
    return dict(zip(weakenings, copies, strict=True))


def _switched(number: int, there: str, instead: str) -> str:
    """Solidity for the one or the other, statements or an expression."""
    old, new = there.split("\n"), instead.split("\n")
    head, tail = [], []
    while old and new and old[-1].strip() == new[-1].strip():
        tail.insert(0, old.pop())
        new.pop()
    while old and new and old[0].strip() == new[0].strip():
        head.append(old.pop(0))
        new.pop(0)
    one, other = "\n".join(old), "\n".join(new)
    if (one.strip() or other.strip()).endswith((";", "}")):
        switch = f"if (isWeak({number})) {{ {other} }} else {{ {one} }}"
    else:
        switch = f"(isWeak({number}) ? ({other}) : ({one}))"
    return "\n".join([*head, switch, *tail])


def _require_once(name: str, path: str, there: str, text: str) -> None:
    if text.count(there) != 1:
        raise AssertionError(f"{name}: not exactly once in {path}: {there!r}")
