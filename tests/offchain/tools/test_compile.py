"""What `make compile` has Ape compile, and what it keeps for Forge."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from eth_hash.auto import keccak

from tools import compile as tool
from tools.imports import ROOT

FILES = {
    "contracts/hide/Sale.sol": 'import {Book} from "../exchange/Book.sol";\ncontract Sale {}\n',
    "contracts/exchange/Book.sol": """import {Kind} from "./Kind.sol";
import {Math} from "@openzeppelin/contracts/Math.sol";
abstract contract Book {}
""",
    "contracts/sum/Model.sol": "contract Model {}\n",
    "contracts/exchange/Kind.sol": "enum Kind { One }\n",
    "node_modules/@openzeppelin/contracts/Math.sol": "library Math {}\n",
    "ape-config.yaml": "name: souk\n",
}
SALE, BOOK, MODEL = list(FILES)[:3]


@pytest.fixture(autouse=True)
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """A project with an Ape that gives each file that it compiles a new bytecode.

    The files of every run of it, a list for each.
    """
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    runs: list[list[str]] = []

    def ape(command: list[str], check: bool) -> subprocess.CompletedProcess[str]:
        assert command[:3] == ["ape", "compile", "--force"]
        runs.append(command[3:])
        manifest(*command[3:], bytecode=f"0x{len(runs):02x}")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(tool.subprocess, "run", ape)
    assert tool.main() == 0
    assert runs.pop() == sorted([SALE, BOOK, MODEL])
    return runs


def manifest(*sources: str, bytecode: str) -> None:
    """Have Ape's manifest say that it compiled ``sources`` to ``bytecode``."""
    path = Path(".build/__local__.json")
    path.parent.mkdir(exist_ok=True)
    types = json.loads(path.read_text())["contractTypes"] if path.exists() else {}
    for source in sources:
        code = {"bytecode": bytecode}
        types[Path(source).stem] = {"sourceId": source, "deploymentBytecode": code}
    path.write_text(json.dumps({"contractTypes": types}))


def kept(name: str) -> dict:
    return json.loads(Path(".build/creation", f"{name}.json").read_text())


def test_what_is_as_it_was_is_not_compiled_again(compiled: list[list[str]]):
    assert tool.main() == 0
    assert compiled == []


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        (SALE, [SALE]),
        (BOOK, [BOOK, SALE]),
        ("contracts/exchange/Kind.sol", [BOOK, SALE]),
        ("node_modules/@openzeppelin/contracts/Math.sol", [BOOK, SALE]),
        ("ape-config.yaml", [BOOK, SALE, MODEL]),
    ],
)
def test_what_imports_a_changed_file_is_compiled_again(
    compiled: list[list[str]], changed: str, again: list[str]
):
    Path(changed).write_text(FILES[changed] + "// changed\n")
    tool.main()
    assert compiled == [again]
    tool.main()
    assert compiled == [again]


def test_what_ape_compiled_by_itself_meanwhile_is_compiled_again(compiled: list[list[str]]):
    # Of another text of Book.sol, which is back as it was: no file tells.
    manifest(SALE, bytecode="0xee")
    tool.main()
    assert compiled == [[SALE]]


def test_the_code_is_kept_beside_the_hashes_of_what_it_was_made_of():
    one = kept("Sale")
    hashes = ["0x" + keccak(FILES[name].encode()).hex() for name in one["made_of"]["files"]]
    assert set(one["made_of"]["files"]) == set(FILES) - {MODEL}
    assert one["made_of"]["hashes"] == hashes
    assert one["bytecode"] == "0x01"


def test_nothing_is_kept_of_a_contract_that_is_no_more():
    Path(MODEL).unlink()
    Path(SALE).write_text("contract Sale {} // changed\n")
    tool.main()
    assert sorted(path.stem for path in Path(".build/creation").iterdir()) == ["Book", "Sale"]


def test_nothing_new_is_kept_when_ape_fails(monkeypatch: pytest.MonkeyPatch):
    failed = subprocess.CompletedProcess([], 3)
    monkeypatch.setattr(tool.subprocess, "run", lambda *_, **__: failed)
    before = kept("Sale")
    Path(SALE).write_text("contract Sale {} // changed\n")
    assert tool.main() == 3
    assert kept("Sale") == before


def test_ape_is_told_of_the_files_that_hold_no_contract(monkeypatch: pytest.MonkeyPatch):
    """It would compile each of them whenever it starts."""
    monkeypatch.chdir(ROOT)
    others = {path.as_posix() for path in tool.CONTRACTS.rglob("*.sol")} - set(tool.sources())
    excluded = yaml.safe_load(tool.SETTINGS.read_text())["compile"]["exclude"]
    assert {f"*/{one.removeprefix('contracts/')}" for one in others} == set(excluded)
