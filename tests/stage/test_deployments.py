"""Contracts have one address on every chain, whoever puts them there, however often."""

from __future__ import annotations

import json
import re
import subprocess
from types import SimpleNamespace
from typing import Any

import ape
import click
import pytest

from scripts._stage import deploying
from scripts._stage.deployments import (
    ARGUMENTS,
    address_of,
    deploy,
    deployments_path,
    find,
    missing,
    note_what_is_there,
)
from scripts._stage.preflight import check_chain
from tests.kit.node import anvil, connected, quiet_node

NAMES = list(ARGUMENTS)


@pytest.fixture
def path(project, tmp_path):
    """The deployments file."""
    return deployments_path(tmp_path)


def test_every_contract_is_where_its_code_says_whoever_deploys_it(path, deployer, stranger):
    """So that nobody needs to be told an address, and nobody can take one."""
    for account in (deployer, stranger):
        with ape.chain.isolate():
            for one in missing():
                assert deploy(account, one, path).address == one.address == address_of(one.name)
            board = find("BulletinBoard", path).contract.address
            assert find("BordaConsensusFactory", path).contract.board() == board
            assert missing() == []


def test_who_was_stopped_goes_on_where_it_stopped(path, deployer):
    """And knows of each contract a block from which on to ask, the stopped one included."""
    wanted = missing()
    deploy(deployer, wanted[0], path)
    height = ape.chain.blocks.height
    kept = path.read_text()
    deploy(deployer, wanted[1], path)
    # What was on disk before the second was sent.
    entries = json.loads(kept)
    entries["contracts"][NAMES[1]] = {"address": wanted[1].address, "block": height}
    path.write_text(json.dumps(entries))
    assert [one.name for one in missing()] == NAMES[2:]
    assert find(NAMES[1], path).block == height
    assert find(NAMES[2], path) is None


def test_the_command_tells_programs_what_it_would_do_and_did(path, monkeypatch, capsys) -> None:
    """A dry run sends nothing; sources go to the explorer that there is, and lie beside."""
    monkeypatch.setattr(deploying, "_compile", lambda: None)  # it is, or this project were not
    published: list[str] = []
    explorer = SimpleNamespace(
        name="explorer", publish_contract=published.append, get_contract_type=lambda _: None
    )
    monkeypatch.setitem(vars(ape.chain.provider.network), "explorer", explorer)

    def told(dry_run: bool) -> list[dict[str, Any]]:
        deploying.run_deploy(None, True, dry_run, path.parent, as_json=True)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    names = [one.name for one in missing()]
    dry = told(dry_run=True)
    listed = [one for one in dry if one["event"] == "contract"]
    assert [one["address"] for one in listed] == [address_of(name) for name in NAMES]
    assert {one["name"] for one in listed if one["gas"]} == {*names}
    (cost,) = [one for one in dry if one["event"] == "cost"]
    assert cost["gas"] == sum(one["gas"] for one in listed)
    assert not path.exists()
    assert [one.name for one in missing()] == names

    done = told(dry_run=False)
    assert [one["name"] for one in done if one["event"] == "deployed"] == names
    assert done[-1] == {"event": "written", "path": str(path)}
    assert published == [address_of(name) for name in NAMES]
    for name in NAMES:
        said = json.loads((path.with_suffix("") / f"{name}.json").read_text())
        source = str(getattr(ape.project, name).contract_type.source_id)
        assert any(one.endswith(source) for one in said["sources"])
        assert said["settings"]["evmVersion"] == "prague"
    assert {one["event"] for one in told(dry_run=False)} == {"contract", "written"}


def test_what_another_deployed_is_found_with_its_block(project, stranger, tmp_path):
    """Where the node knows the past; the file is made all the same."""
    with quiet_node():
        path = deployments_path(tmp_path)
        ape.chain.mine(5)
        deploy(stranger, missing()[0], deployments_path(tmp_path / "another"))
        height = ape.chain.blocks.height
        ape.chain.mine(5)
        assert find(NAMES[0], path).block == 0
        note_what_is_there(path)
        assert find(NAMES[0], path).block == height


def test_a_contract_of_another_version_is_not_used(project, stranger, tmp_path):
    """What the file names is there, and is not what this version would call."""
    with quiet_node():
        path = deployments_path(tmp_path)
        other = deploy(stranger, missing(["CleanerSale"])[0], path)
        entries = json.loads(path.read_text())
        entries["contracts"] = {NAMES[0]: entries["contracts"]["CleanerSale"]}
        path.write_text(json.dumps(entries))
        with pytest.raises(click.ClickException) as refusal:
            find(NAMES[0], path)
    assert refusal.value.message == (
        f"{path} has {NAMES[0]} of another version, at {other.address}: run ape run deploy"
    )


@pytest.mark.parametrize(
    ("hard_fork", "lacking"),
    [("london", "PUSH0 (Shanghai)"), ("shanghai", "transient storage (Cancun)")],
)
def test_a_chain_that_is_too_old_is_refused_by_what_it_lacks(project, hard_fork, lacking):
    """Before anything is paid."""
    with anvil("--hardfork", hard_fork, block_seconds=1) as uri, connected(uri):
        with pytest.raises(click.ClickException) as refusal:
            check_chain()
        assert refusal.value.message.startswith(f"this chain has no {lacking}: ")


def test_a_chain_before_prague_is_poorer_and_told_so(project):
    with anvil("--hardfork", "cancun", block_seconds=1) as uri, connected(uri):
        assert check_chain() == [
            "not Prague's rules (EIP-2537): gas may cost other than the tables say",
            "no hashes of older blocks (EIP-2935): a draw must be opened within 256",
        ]
    with anvil("--hardfork", "prague", block_seconds=1) as uri, connected(uri):
        assert check_chain() == []


def test_blocks_too_small_for_the_largest_call_are_refused(project):
    options = ("--hardfork", "prague", "--gas-limit", "10000000")
    told = pytest.raises(click.ClickException, match="blocks of this chain have 10,000,000 gas")
    with anvil(*options, block_seconds=1) as uri, connected(uri), told:
        check_chain()


def test_a_named_testnet_needs_a_node_and_nothing_else(project, tmp_path):
    """The cost is shown without an account, and nothing is written."""
    with anvil("--hardfork", "prague", "--chain-id", "560048", block_seconds=12) as uri:
        words = ["ape", "run", "deploy", "--network", f"ethereum:hoodi:{uri}", "--dry-run"]
        done = subprocess.run(
            [*words, "--deployments", str(tmp_path)],
            cwd=project.path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    for name in NAMES:
        assert f"{name:<24} {address_of(name)}" in done.stdout
    assert re.search(r"together [0-9,]{10} gas, .* ETH at .* gwei", done.stdout)
    assert list(tmp_path.iterdir()) == []
