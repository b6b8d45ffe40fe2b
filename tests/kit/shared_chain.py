"""A chain that strangers share: its blocks come by themselves, and anybody reads what is on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ape
import click
import pytest

from scripts._market import mechanisms
from scripts._stage.browsing import run_browse
from scripts._stage.chain import HOME
from scripts._stage.deployments import deploy, deployments_path, missing
from tests.kit.node import anvil, connected


@contextmanager
def shared_chain(folder: Path, monkeypatch: pytest.MonkeyPatch, *contracts: str) -> Iterator[str]:
    """Connects Ape to one with these contracts, told of in `folder`: where it answers."""
    monkeypatch.setenv(HOME, str(folder / "deployer"))
    accounts = str(ape.config.get_config("test").number_of_accounts)
    options = ("--hardfork", "prague", "--block-time", "1", "--accounts", accounts)
    with anvil(*options, block_seconds=1) as uri, connected(uri):
        path = deployments_path(folder / "deployments")
        for one in missing(list(contracts)):
            deploy(ape.accounts.test_accounts[0], one, path)
        yield uri


def reading(folder: Path, *peers: str, as_json: bool = True) -> dict[str, Any]:
    """What who reads and fetches says. folder: as for `shared_chain`."""
    return {
        "listen": "/ip4/127.0.0.1/tcp/0",
        "peer": peers,
        "ipfs": None,
        "deployments": folder / "deployments",
        "as_json": as_json,
    }


def browsed(
    capsys: pytest.CaptureFixture[str],
    known: dict[str, Any],
    asked: Sequence[str] = mechanisms.MECHANISMS,
    **wanted: Any,
) -> list[dict[str, Any]]:
    """What `browse` finds. known: see `reading`. asked: mechanisms. wanted: its filters."""
    filters = {"classes": (), "licence": None, "least_reward": None, "token": None}
    filters["all_"] = True
    capsys.readouterr()
    run_browse(mechanisms.listed, asked, **(filters | known | wanted))
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def watched(
    capsys: pytest.CaptureFixture[str], reference: str, folder: Path
) -> list[dict[str, Any]]:
    """What `watch` tells of something so far."""
    capsys.readouterr()
    mechanisms.run_watch(
        reference,
        once=True,
        content=False,
        listen="",
        peer=(),
        ipfs=None,
        deployments=folder / "deployments",
        as_json=True,
    )
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def forged_digest(monkeypatch: pytest.MonkeyPatch, module: Any, check: Callable[[], None]) -> str:
    """Of what lies in a folder whose check fails by its digest: who forges that can write it down,
    too. module: that calls `check_proof`."""
    seen: list[str] = []
    compare = module.check_proof

    def noted(folder: Path, proof: Any, task: Any, known: dict[str, Any]) -> None:
        seen.extend([known["sha256"]] if "sha256" in known else [])
        compare(folder, proof, task, known)

    with monkeypatch.context() as patched:
        patched.setattr(module, "check_proof", noted)
        with pytest.raises(click.ClickException, match="not what was sold: sha256"):
            check()
    return seen[-1]
