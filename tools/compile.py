"""Compile the contracts with Ape, and keep the creation code of each for Forge.

    python -m tools.compile

Ape compiles the files that changed, but not those that import them; here it is told of both. What
it compiled is kept beside the hashes of all that it was made of: `deploy` in
tests/invariants/Base.sol holds these against the files.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from eth_hash.auto import keccak

from tools.imports import closure, located

HERE = Path()
CONTRACTS = Path("contracts")
MANIFEST = Path(".build/__local__.json")
KEPT = Path(".build/creation")
SETTINGS = Path("ape-config.yaml")
_CONTRACT = re.compile(r"^(abstract contract|contract|interface|library) ", re.MULTILINE)


@dataclass(frozen=True)
class Ingredients:
    """What a file's contracts are made of: paths from the root, and Keccak-256 of each in hex."""

    files: list[str]
    hashes: list[str]


@dataclass(frozen=True)
class Creation:
    """A contract's creation code in hex, its file, and what it was made of."""

    source: str
    bytecode: str
    made_of: Ingredients


def ingredients(source: str) -> Ingredients:
    """A contract's file, what it imports, directly or not, and the compiler's settings, as now."""
    names = closure({source: Path(source).read_text()}, HERE)
    paths = sorted({SETTINGS, *(located(name, HERE) for name in names)})
    return Ingredients(
        [path.as_posix() for path in paths],
        ["0x" + keccak(path.read_bytes()).hex() for path in paths],
    )


def sources() -> list[str]:
    """The files that hold a contract. Others are compiled with what imports them.

    By itself Ape would compile the others at every start, as it never has a contract of them:
    ape-config.yaml keeps it from that.
    """
    found = [path for path in CONTRACTS.rglob("*.sol") if _CONTRACT.search(path.read_text())]
    return [path.as_posix() for path in found]


def built(made_of: Mapping[str, Ingredients]) -> dict[str, Creation]:
    """By contract, what Ape has compiled of the files ``made_of``; of deleted files nothing."""
    types = json.loads(MANIFEST.read_text())["contractTypes"] if MANIFEST.is_file() else {}
    return {
        name: Creation(source, one["deploymentBytecode"]["bytecode"], made_of[source])
        for name, one in types.items()
        if (source := one["sourceId"]) in made_of
    }


def kept() -> dict[str, Creation]:
    """By contract, what was kept of the last compilation."""
    found = {path.stem: json.loads(path.read_text()) for path in KEPT.glob("*.json")}
    return {
        name: Creation(one["source"], one["bytecode"], Ingredients(**one["made_of"]))
        for name, one in found.items()
    }


def keep(creations: Mapping[str, Creation]) -> None:
    """Write one file for each contract, and remove those of contracts that are no more."""
    KEPT.mkdir(parents=True, exist_ok=True)
    for path in KEPT.glob("*.json"):
        if path.stem not in creations:
            path.unlink()
    for name, creation in creations.items():
        (KEPT / f"{name}.json").write_text(json.dumps(asdict(creation)))


def stale(made_of: Mapping[str, Ingredients]) -> list[str]:
    """The files that Ape must compile: what it has of them is not what was kept, or not of now."""
    now, before = built(made_of), kept()
    same = {one.source for name, one in now.items() if before.get(name) == one}
    other = {one.source for name, one in now.items() if before.get(name) != one}
    return sorted(set(made_of) - (same - other))


def main() -> int:
    made_of = {source: ingredients(source) for source in sources()}
    if wanted := stale(made_of):
        done = subprocess.run(["ape", "compile", "--force", *wanted], check=False)
        if done.returncode:
            return done.returncode
        keep(built(made_of))
    return 0


if __name__ == "__main__":
    sys.exit(main())
