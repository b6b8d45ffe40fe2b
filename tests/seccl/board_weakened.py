"""Copies of the board with one defence taken out, against which an attack must succeed.

The copies are made from the contracts as they are now, by replacing text that must be there, so a
copy never outlives a change of the original.
"""

from __future__ import annotations

import ape
from ape.contracts import ContractContainer

from tests.hyperx.solidity import compile_contracts

_BOARD = "contracts/seccl/BulletinBoard.sol"
_SESSIONS = "contracts/seccl/board/BoardSessions.sol"
_TREES = "contracts/seccl/board/BoardTrees.sol"
_FILES = (_BOARD, _SESSIONS, _TREES)

# Name of the copy -> the change that makes it: file, text that is there, text instead.
WEAKENINGS: dict[str, tuple[str, str, str]] = {
    "overwrites posts": (
        _BOARD,
        "require(place.time == 0, AlreadyPosted(place.time));",
        "",
    ),
    "takes late for in time": (_BOARD, "postedAt == 0 || postedAt >= due", "postedAt == 0"),
    "believes any signature": (
        _BOARD,
        "require(signer == head.server(), BadSignature(signer, head.server()));",
        "signer;",
    ),
    "takes own posts for the server's": (
        _BOARD,
        "_put(head, _ownPosts[key.session][_place(key)]",
        "_put(head, _posts[key.session][_place(key)]",
    ),
    "answers from any place": (
        _BOARD,
        "        _inRange(head, key);\n        asked = _challenges",
        "        asked = _challenges",
    ),
    "forgets open questions": (
        _SESSIONS,
        "require(account.openChallenges == 0, ChallengesOpen(account.openChallenges));",
        "",
    ),
    "pays shares without marking": (
        _SESSIONS,
        "_claimed[session][member >> 8] |= 1 << (member & 255);",
        "",
    ),
    "leaves have no place": (
        _TREES,
        "_leaf(domain, index, message)",
        "_leaf(domain, 0, message)",
    ),
}


def compile_weakened() -> dict[str, ContractContainer]:
    """The weakened boards by name, all from one run of the compiler."""
    root = ape.project.path
    own = {
        str(file.relative_to(root)): file.read_text()
        for folder in ("exchange", "hyperx", "interfaces", "seccl/board")
        for file in sorted((root / "contracts" / folder).glob("*.sol"))
        if file.name in _NEEDED
    } | {_BOARD: (root / _BOARD).read_text()}
    sources: dict[str, str] = {}
    wanted: dict[str, str] = {}
    for number, (name, (path, there, instead)) in enumerate(WEAKENINGS.items()):
        if own[path].count(there) != 1:
            raise AssertionError(f"{name}: not exactly once in {path}: {there!r}")
        copy = own | {path: own[path].replace(there, instead)}
        # Each copy has its own contract name, as a compiler's output is asked for by name.
        contract = f"Weak{number}"
        copy[_BOARD] = copy[_BOARD].replace("contract BulletinBoard is", f"contract {contract} is")
        sources |= {f"weak{number}/{file}": text for file, text in copy.items()}
        wanted[contract] = f"weak{number}/{_BOARD}"
    compiled = compile_contracts(wanted, sources)
    return {name: compiled[f"Weak{number}"] for number, name in enumerate(WEAKENINGS)}


_NEEDED = (
    "Payment.sol",
    "Shards.sol",
    "IBulletinBoard.sol",
    "BoardSessions.sol",
    "BoardTrees.sol",
    "Receipts.sol",
    "SessionHead.sol",
)
