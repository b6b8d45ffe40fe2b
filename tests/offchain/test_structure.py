"""The house keeps its plan: which room may know which (docs/architecture.md)."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tools.touched import ROOMS

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).with_name("lint-imports")

BREACHES = {
    "offchain knows no chain": ("offchain/data/pixels.py", "import web3"),
    "mechanisms know nothing of each other": (
        "offchain/hide/levels.py",
        "from offchain.mde.errors import MdeError",
    ),
    "mechanisms know nothing of each other, and what they share knows none": (
        "offchain/crypto/bitmap.py",
        "def f():\n    from offchain.hide.levels import Found",
    ),
    "SUM is used by its own room": (
        "scripts/_stage/money.py",
        "def f():\n    from offchain.sum.rules import DAY",
    ),
    "MDE is used by its own room": (
        "scripts/_hyperx/play.py",
        "from offchain.mde.errors import MdeError",
    ),
    "rooms of commands know nothing of each other": (
        "scripts/_sum/play.py",
        "from scripts._seccl.chain import FederationChain",
    ),
    "no circles": (
        "scripts/_mde/stories.py",
        "def f():\n    from scripts._mde.play import play_story",
    ),
}


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [LINT, "--config", folder / "pyproject.toml", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_no_arrow_runs_the_wrong_way():
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("rule", BREACHES)
def test_an_arrow_that_does_is_found(tmp_path, rule):
    """Late imports too."""
    for part in ("offchain", "scripts"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    file, line = BREACHES[rule]
    with (tmp_path / file).open("a") as added:
        added.write(f"\n\n{line}\n")
    result = lint(tmp_path)
    assert result.returncode != 0
    broken = [text for text in result.stdout.splitlines() if text.endswith("BROKEN")]
    assert any(text.startswith(rule) for text in broken), result.stdout


def test_every_room_has_its_arrows():
    """The oracles' need no test: that list is exhaustive."""
    arrows = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    contracts = {one["id"]: one for one in arrows["contracts"]}
    apart = contracts["rooms-apart"]["layers"][1].split(" | ")
    assert sorted(apart) == sorted(f"_{room}" for room in ROOMS)
    for room in ROOMS:
        assert contracts[f"{room}-own"]["protected_modules"] == [f"offchain.{room}"]


def test_scripts_holds_commands_and_rooms_alone():
    """Ape makes a command of each file, and skips what begins with an underscore."""
    for path in (ROOT / "scripts").glob("*.py"):
        if path.name != "__init__.py":
            assert re.search(r"^def cli\(", path.read_text(), re.MULTILINE), path
    rooms = {path.name for path in (ROOT / "scripts").iterdir() if path.is_dir()}
    assert rooms - {"__pycache__"} == {"_market", "_stage", *(f"_{room}" for room in ROOMS)}


def test_each_mechanism_has_one_name_in_every_wing():
    for wing in ("contracts", "offchain", "tests", "tests/offchain"):
        rooms = {path.name for path in (ROOT / wing).iterdir() if path.is_dir()}
        assert set(ROOMS) <= rooms, wing


@pytest.mark.parametrize("room", ROOMS)
def test_contracts_of_a_mechanism_use_their_own_and_shared_ones(room):
    """Shared: exchange/ and interfaces/, which imports the types that its calls take."""
    for path in (ROOT / "contracts" / room).rglob("*.sol"):
        for target in re.findall(r'^import [^"]*"(\.[^"]+)";', path.read_text(), re.MULTILINE):
            part = (path.parent / target).resolve().relative_to(ROOT / "contracts").parts[0]
            assert part in {room, "exchange", "interfaces"}, f"{path} imports {target}"


def test_shared_contracts_use_no_mechanism():
    for path in (ROOT / "contracts" / "exchange").rglob("*.sol"):
        for target in re.findall(r'^import [^"]*"(\.[^"]+)";', path.read_text(), re.MULTILINE):
            part = (path.parent / target).resolve().relative_to(ROOT / "contracts").parts[0]
            assert part == "exchange", f"{path} imports {target}"


def room_of(path: Sequence[str]) -> str:
    """The room that a module of the tests is in: mechanisms have one on the chain and one off it.

    path: of the module, from tests/ on.
    """
    return path[1] if path[0] == "offchain" and len(path) > 2 else path[0]


def imported(source: str) -> Iterator[list[str]]:
    """Modules of the tests that are imported anywhere in a source, by their paths from tests/."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            first, *rest = name.split(".")
            if first == "tests":
                yield [*rest, ""]


def breaches(path: Sequence[str], source: str) -> list[str]:
    """What a module of the tests imports from a room it may not know."""
    own = room_of(path)
    if own in ("gas", "market", "chaos"):
        return []
    return [
        f"{'/'.join(path)} imports {'.'.join(target).rstrip('.')}"
        for target in imported(source)
        if room_of(target) not in {own, "kit"}
    ]


def test_tests_of_a_room_know_their_own_and_the_kit():
    """The kit knows itself alone; gas tables drive all contracts, market and chaos all parties."""
    tests = ROOT / "tests"
    found = [
        breach
        for path in sorted(tests.rglob("*.py"))
        for breach in breaches(path.relative_to(tests).parts, path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    ("path", "line", "allowed"),
    [
        ("hide/test_a.py", "from tests.mde.deal_driver import DealDriver", False),
        ("hide/stories/test_a.py", "from tests.offchain.hide.small import made_up", True),
        ("hide/test_a.py", "from tests.offchain.mde import small", False),
        ("offchain/crypto/test_a.py", "from tests.offchain.hyperx.small_market import ANNA", False),
        ("offchain/mde/test_a.py", "def f():\n    import tests.offchain.seccl.small", False),
        ("offchain/mde/test_a.py", "from tests.kit import multiproofs", True),
        ("kit/driver.py", "from tests.hyperx.terms import make_terms", False),
        ("gas/sale.py", "from tests.hide.listing_driver import ListingDriver", True),
        ("conftest.py", "from tests.kit.addresses import forgotten_afterwards", True),
    ],
)
def test_a_test_that_knows_another_room_is_found(path, line, allowed):
    """Late imports too."""
    assert (breaches(path.split("/"), line) == []) == allowed


@pytest.mark.parametrize("slow", ["torchvision", "sklearn", "scipy.stats"])
def test_what_is_slow_to_load_is_loaded_by_who_uses_it(slow):
    """Each takes a second or more of processor time, in every process of every party."""
    for path in [*(ROOT / "offchain").rglob("*.py"), *(ROOT / "scripts").rglob("*.py")]:
        if "study" in path.parts:
            continue
        for node in ast.parse(path.read_text()).body:
            names = [one.name for one in getattr(node, "names", [])]
            module = getattr(node, "module", "") or ""
            loaded = [*names, module, *(f"{module}.{name}" for name in names)]
            assert not any(f"{one}.".startswith(f"{slow}.") for one in loaded), path
