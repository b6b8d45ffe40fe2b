"""`ape run deploy` and `ape run trade` as commands, on a node that outlives both."""

from __future__ import annotations

import json
import os
import subprocess

import ape
import pytest

from offchain.hyperx.report.record import SessionRecord
from scripts._stage.deployments import ARGUMENTS
from tests.kit.node import quiet_node


@pytest.fixture
def node(project):
    """A node of its own, to which commands connect."""
    with quiet_node():
        yield ape.chain.provider


def test_trade_uses_the_factory_that_deploy_wrote_down(node, tmp_path) -> None:
    """The deployments file says where, when and how it was compiled; trade deploys no other."""
    folder, reports = tmp_path / "deployments", tmp_path / "reports"

    def ape_run(*words: str) -> str:
        done = subprocess.run(
            ["ape", "run", *words, "--deployments", str(folder)],
            env=os.environ | {"APE_FOUNDRY_HOST": node.uri, "COLUMNS": "80"},
            cwd=ape.project.path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    height = ape.chain.blocks.height
    assert "TradingSessionFactory" in ape_run("deploy", "--dry-run")
    assert ape.chain.blocks.height == height
    assert not folder.exists()
    ape_run("deploy")
    height = ape.chain.blocks.height
    assert ape_run("deploy").count("is there") == len(ARGUMENTS)
    assert ape.chain.blocks.height == height
    content = json.loads((folder / "ethereum-local.json").read_text())
    assert content["chain_id"] == 31337
    entry = content["contracts"]["TradingSessionFactory"]
    receipt = node.get_receipt(entry["transaction"])
    assert len(node.get_code(entry["address"])) > 1_000
    assert receipt.block_number == entry["block"]
    assert receipt.sender == entry["deployer"]
    assert entry["compiler"] == {
        "solidity": "0.8.30",
        "evm_version": "prague",
        "optimizer_runs": 10_000,
        "via_ir": True,
    }

    verification = json.loads((folder / "ethereum-local" / "CleanerSale.json").read_text())
    assert verification["language"] == "Solidity"
    assert "contracts/hide/CleanerSale.sol" in verification["sources"]
    assert verification["settings"]["viaIR"]

    small = ("--plan", "clean,noise:0.8", "--shards", "10", "--shard-size", "5", "--sample", "40")
    money = ("--deposit", "0.8 ether", "--penalty", "50")
    more = ("--validation", "50", *money, "--reports", str(reports))
    printed = ape_run("trade", *small, *more)
    record = SessionRecord.from_json((reports / "honest" / "record.json").read_bytes())
    assert record.factory == entry["address"]
    assert record.winner == "provider 1"
    assert f"session {record.session}" in printed
    assert node.get_code(record.session)
