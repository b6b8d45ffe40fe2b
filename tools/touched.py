"""The files that a change touches, and the tests that `make quick` chooses for them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

CONTRACTS = Path(__file__).parents[1] / "contracts"
SHARED = {"exchange", "interfaces"}
# A mechanism has contracts first; tests/offchain/test_structure.py demands the other wings' rooms.
ROOMS = tuple(
    sorted(
        path.name
        for path in CONTRACTS.iterdir()
        # Ape leaves a hidden folder there when it is stopped while it compiles.
        if path.is_dir() and path.name not in SHARED and not path.name.startswith(".")
    )
)
# What the mechanisms share is used by all: a small file of each says whether it still works.
SMOKE_OFFCHAIN = (
    "tests/offchain/hyperx/test_session.py",
    "tests/offchain/sum/test_agents.py",
    "tests/offchain/seccl/test_messages.py",
    "tests/offchain/hide/test_sale_roles.py",
    "tests/offchain/mde/test_roles.py",
)
SMOKE_CHAIN = (
    "tests/hyperx/test_claim_reward.py",
    "tests/sum/test_shared_model.py",
    "tests/seccl/test_board_posts.py",
    "tests/hide/test_purchases.py",
    "tests/mde/test_deals.py",
)


@dataclass(frozen=True)
class Choice:
    """Paths of tests, the nearest to the change first."""

    offchain: tuple[str, ...]
    chain: tuple[str, ...]


def changed_files() -> list[str]:
    """Paths that differ from where this branch left main (on main: from the last commit).

    Untracked files count, ignored and deleted ones do not.
    """
    head, main = _git("rev-parse", "HEAD"), _git("rev-parse", "--verify", "-q", "main", check=False)
    base = _git("merge-base", "HEAD", "main") if main and main != head else "HEAD"
    named = _git("diff", "--name-only", "--diff-filter=d", base).splitlines()
    return sorted({*named, *_git("ls-files", "--others", "--exclude-standard").splitlines()})


def _git(*arguments: str, check: bool = True) -> str:
    done = subprocess.run(["git", *arguments], check=check, capture_output=True, text=True)
    return done.stdout.strip()


def choose(changed: Iterable[str]) -> Choice:
    """The tests for changed paths.

    A changed test file means itself. A room's file means that room's tests: the oracle's for
    `offchain/ROOM` and `scripts/_ROOM`, those on the chain for `contracts/ROOM`, and both for the
    room's test helpers. What several rooms share means its own tests and the smoke tests.
    """
    own: list[str] = []
    near: list[str] = []
    smoke: list[str] = []
    for path in changed:
        if _is_test(path):
            own.append(path)
            continue
        found, shared = _room_tests(path)
        near += found
        smoke += shared
    # A folder already covers the files in it.
    wanted = [path for path in dict.fromkeys((*own, *near, *smoke)) if Path(path).exists()]
    return Choice(
        tuple(path for path in wanted if path.startswith("tests/offchain")),
        tuple(path for path in wanted if not path.startswith("tests/offchain")),
    )


def _is_test(path: str) -> bool:
    return path.startswith("tests/") and PurePosixPath(path).match("test_*.py")


def _room_tests(path: str) -> tuple[list[str], list[str]]:
    """Tests of the room that a file belongs to, and smoke tests where it belongs to several."""
    wing, *rest = PurePosixPath(path).parts
    room = rest[0].removeprefix("_") if rest else ""
    if wing == "offchain":
        if room in ROOMS:
            return [f"tests/offchain/{room}"], []
        return [f"tests/offchain/{room}"] if len(rest) > 1 else [], list(SMOKE_OFFCHAIN)
    if wing == "contracts":
        if room in ROOMS:
            return _on_chain(room), []
        return [], list(SMOKE_CHAIN)
    if wing == "scripts":
        # Played sessions take minutes: here are the first that there is time for.
        return ([f"tests/{room}/stories"] if room in ROOMS else []), list(SMOKE_OFFCHAIN)
    if wing == "tests" and room == "offchain":
        if len(rest) > 2:
            return [f"tests/offchain/{rest[1]}"], []
        return [], list(SMOKE_OFFCHAIN)
    if wing == "tests" and room != "invariants":
        return (_on_chain(room), []) if room in ROOMS else ([], list(SMOKE_CHAIN))
    if wing in ("tools", "Makefile", "foundry.toml") or path.startswith(("require", "package")):
        return ["tests/offchain/tools"], []
    return [], []


def _on_chain(room: str) -> list[str]:
    """The room's test files on the chain, played sessions aside."""
    return sorted(str(path) for path in Path("tests", room).glob("test_*.py"))
