"""Which tests `make quick` chooses for a change."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.touched import ROOMS, SMOKE_CHAIN, SMOKE_OFFCHAIN, changed_files, choose

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("room", ROOMS)
def test_a_rooms_oracle_means_the_rooms_oracle_tests(room: str):
    choice = choose([f"offchain/{room}/anything.py"])
    assert (choice.offchain, choice.chain) == ((f"tests/offchain/{room}",), ())


@pytest.mark.parametrize("room", ROOMS)
def test_a_rooms_contract_means_the_rooms_tests_on_the_chain(room: str):
    choice = choose([f"contracts/{room}/Anything.sol"])
    assert choice.offchain == ()
    assert choice.chain
    assert all(path.startswith(f"tests/{room}/test_") for path in choice.chain)


def test_shared_contracts_mean_a_test_file_of_every_room():
    assert choose(["contracts/exchange/Book.sol"]).chain == SMOKE_CHAIN
    assert {path.split("/")[1] for path in SMOKE_CHAIN} == set(ROOMS)


def test_shared_oracle_code_means_its_own_tests_first_and_then_the_smoke_tests():
    choice = choose(["offchain/crypto/anything.py"])
    assert choice.offchain == ("tests/offchain/crypto", *SMOKE_OFFCHAIN)
    assert choose(["offchain/roles.py"]).offchain == SMOKE_OFFCHAIN
    assert {path.split("/")[2] for path in SMOKE_OFFCHAIN} == set(ROOMS)


def test_a_changed_test_means_itself_and_comes_first():
    changed = ["offchain/hide/masks.py", "tests/offchain/sum/test_rules.py"]
    assert choose(changed).offchain == ("tests/offchain/sum/test_rules.py", "tests/offchain/hide")


def test_prose_means_no_test():
    choice = choose(["README.md", "docs/session.svg"])
    assert (choice.offchain, choice.chain) == ((), ())


def test_every_smoke_test_is_there():
    missing = [path for path in (*SMOKE_CHAIN, *SMOKE_OFFCHAIN) if not Path(path).is_file()]
    assert missing == []


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=souk", "-c", "user.email=souk@example.org")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def test_changes_are_counted_from_where_the_branch_left_main(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    git(tmp_path, "init", "-q", "-b", "main")
    for name in ("old", "gone", "edited"):
        (tmp_path / name).write_text(name)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "Begin")
    git(tmp_path, "checkout", "-qb", "branch")
    (tmp_path / "committed").write_text("committed")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "Go on")
    (tmp_path / "edited").write_text("otherwise")
    (tmp_path / "untracked").write_text("untracked")
    (tmp_path / "gone").unlink()
    monkeypatch.chdir(tmp_path)
    assert changed_files() == ["committed", "edited", "untracked"]
