"""The compiler: npm's where no native one is pinned, and the reason is said."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest
import requests

from tools import install_compiler

ROOT = install_compiler.SHIM.parents[1]


def on(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)


@pytest.mark.parametrize(("system", "machine"), [("Linux", "aarch64"), ("Darwin", "arm64")])
def test_without_a_pinned_one_nothing_is_asked_of_the_network(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, system: str, machine: str
):
    on(monkeypatch, system, machine)
    monkeypatch.setattr(requests, "get", lambda *_, **__: pytest.fail("asked"))
    said = install_compiler.install(tmp_path / "solcx")
    assert f"no pinned native one for {system} {machine}" in said
    target = tmp_path / "solcx" / "solc-v0.8.30"
    assert target.resolve() == install_compiler.SHIM


def test_another_file_than_the_pinned_one_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    on(monkeypatch, "Linux", "x86_64")
    response = requests.Response()
    response.status_code, response._content = 200, b"something else"
    monkeypatch.setattr(requests, "get", lambda *_, **__: response)
    install_compiler.install(tmp_path)
    assert (tmp_path / "solc-v0.8.30").resolve() == install_compiler.SHIM
    assert [path.name for path in tmp_path.iterdir()] == ["solc-v0.8.30"]


def test_npms_says_its_version_without_being_loaded():
    """The same as it says itself."""
    asked = subprocess.run([install_compiler.SHIM, "--version"], capture_output=True, text=True)
    script = "process.stdout.write(require('solc').version())"
    own = subprocess.run(["node", "-e", script], capture_output=True, text=True, cwd=ROOT)
    assert asked.stdout.splitlines()[1] == f"Version: {own.stdout}"
    assert own.stdout.startswith(f"{install_compiler.VERSION}+{install_compiler.BUILD}.")
