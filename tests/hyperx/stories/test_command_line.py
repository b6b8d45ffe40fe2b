"""The command line: its help, and one clear line for whatever cannot be done."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import ape
import click
import pytest
from ape.api import AccountAPI
from ape.contracts import ContractInstance
from click.testing import CliRunner, Result

from scripts import deploy, trade
from scripts._hyperx.chain import ChainSession
from scripts._hyperx.stories import STORIES
from scripts._hyperx.terms import make_terms
from scripts._stage.accounts import load
from scripts._stage.chain import ActionRefused
from scripts._stage.deployments import deploy as put
from scripts._stage.deployments import deployments_path, find, missing, note_what_is_there
from tests.hyperx.stories.played import small_options

SMALL = {
    "--plan": "clean,noise:0.5",
    "--shards": "10",
    "--shard-size": "2",
    "--sample": "20",
    "--validation": "20",
    "--deposit": "0.4 ether",
}
NOWHERE = "0x000000000000000000000000000000000000dEaD"

REFUSED = {
    "unknown corruption": (["--plan", "clean,rust:0.5"], "'rust' is no corruption"),
    "level out of range": (["--plan", "noise:1.5"], "0 to 1"),
    "level missing": (["--plan", "noise"], "noise needs a level"),
    "plan and count": (["--providers", "3"], "the plan names 2 corruptions for 3 providers"),
    "too many": (["--plan", ",".join(["clean"] * 29)], "29 providers, but only 28 test accounts"),
    "no such dataset": (["--dataset", "no/such/folder"], "'no/such/folder' is no directory"),
    "dataset too small": (["--shards", "5000"], "5000 are available"),
    "no shard sampled": (["--sample", "5"], "5 % of 10 shards are 0, must be 1 to 2000"),
    "too many hidden shards": (
        ["--hidden", "--shards", "4001"],
        "shards: 4001, must be 1 to 4000 with --hidden",
    ),
    "share of samples": (["--sample", "60"], "60.0 is not in the range 0.01<=x<=50"),
    "shard count": (["--shards", "10001"], "10001 is not in the range 1<=x<=10000"),
    "shard size": (["--shard-size", "0"], "0 is not in the range x>=1"),
    "reward in words": (["--reward", "plenty"], "reward: 'plenty' is no amount"),
    "reward zero": (["--reward", "0 ether"], "reward: 0 ether is 0 wei, must be 1 to 2^96 - 1"),
    "deposit negative": (["--deposit", "-1"], "deposit: '-1' is no amount"),
    "deposit low": (["--deposit", "0.2 ether"], "deposit: 0.2 ether must be at least twice"),
    "penalty": (["--penalty", "101"], "101.0 is not in the range"),
    "reward below the deposit": (["--deposit", "1.1 ether"], "must be at least the deposit of 1.1"),
    "reward below two penalties": (
        ["--deposit", "0.6 ether", "--penalty", "90"],
        "and 2 times the penalty, 90 % of it",
    ),
    "hasty": (["--response-minutes", "9.9"], "9.9 is not in the range 10<=x<=43200"),
    "hours": (["--hours", "0.1"], "0.1 is not in the range"),
    "for ever": (["--hours", "720"], "the session would last 90.1 days, at most 90 are allowed"),
    "least reward": (
        ["--least-reward", "2 ether"],
        "terms refused: reward: 1000000000000000000 wei, at least 2000000000000000000 wei is",
    ),
    "most deposit": (["--most-deposit", "0.1 ether"], "terms refused: deposit: "),
    "most penalty": (["--most-penalty", "0.1 ether"], "terms refused: penalty: "),
    "least response": (
        ["--least-response", "16"],
        "terms refused: response time: 900 s, at least 960 s is accepted",
    ),
    "most locked": (["--most-locked", "0.1"], "s, at most 8640 s is accepted"),
    "limit in words": (["--most-deposit", "little"], "most-deposit: 'little' is no amount"),
    "token nowhere": (["--token", NOWHERE], f"token: no contract lives at {NOWHERE}"),
    "token in words": (["--token", "gold"], "token: 'gold' is no address"),
    "extractor": (["--extractor", "resnet"], "resnet"),
    "cut": (["--cut", "block99"], "block99"),
    "head": (["--head", "big"], "head: 'big' is none of fast, "),
    "device": (["--device", "tpu"], "'tpu'"),
    "ipfs": (["--ipfs", "http://127.0.0.1:9"], "127.0.0.1:9"),
    "resume": (["--resume", NOWHERE], "resume: "),
    "settlement": (["--settlement", "closed"], "'closed' is not one of"),
    "settlement of the story": (
        ["--settlement", "open", "--story", "false-dispute"],
        "settlement: open, the story needs sealed",
    ),
    "story": (["--story", "lucky"], "'lucky' is not one of"),
}


@pytest.fixture
def invoke(project, tmp_path, monkeypatch) -> Callable[..., Result]:
    """Runs the command on the tests' chain, with small datasets, in an empty folder."""
    monkeypatch.setenv("APE_FOUNDRY_HOST", ape.chain.provider.uri)

    def run(*options: str) -> Result:
        places = {"--reports": tmp_path / "reports", "--deployments": tmp_path / "deployments"}
        small = [str(word) for pair in (SMALL | places).items() for word in pair]
        return CliRunner().invoke(trade.cli, [*small, *options])

    return run


FACTORY = "TradingSessionFactory"


def put_factory(account: AccountAPI, path: Path) -> ContractInstance:
    """The factory alone, deployed and noted as `ape run deploy` does it."""
    for factory in missing([FACTORY]):
        put(account, factory, path)
    note_what_is_there(path)
    found = find(FACTORY, path)
    assert found is not None
    return found.contract


def _message(result: Result) -> str:
    """What follows "Error:", which must be all of one line."""
    return result.output.partition("Error: ")[2].rstrip("\n")


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_is_said_in_one_line(invoke, tmp_path, what: str) -> None:
    """The line names value and bound; chain and files stay as they were."""
    options, words = REFUSED[what]
    height = ape.chain.blocks.height
    result = invoke(*options)
    assert result.exit_code != 0
    assert words in _message(result)
    assert "\n" not in _message(result)
    assert ape.chain.blocks.height == height
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [trade.cli, deploy.cli], ids=["trade", "deploy"])
def test_help_explains_every_option(command) -> None:
    """No option without a word on it."""
    text = CliRunner().invoke(command, ["--help"]).output
    for option in command.params:
        assert option.opts[0] in text
        assert getattr(option, "help", None), option.opts[0]


def test_help_names_what_can_be_chosen() -> None:
    """Every story that can be told."""
    assert (*STORIES,) == trade.STORY_NAMES
    text = "".join(CliRunner().invoke(trade.cli, ["--help"]).output.split())
    for name in (*STORIES, "all"):
        assert name in text


def test_help_loads_no_library_that_takes_seconds() -> None:
    """`--help` answers at once: neither torch nor matplotlib is imported for it."""
    code = "import json, sys, scripts.trade, scripts.deploy; print(json.dumps([*sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "matplotlib", "torchvision"} & set(json.loads(done.stdout))


@pytest.mark.parametrize(
    ("content", "words"),
    [("{}", "is no deployments file"), ("not json", "is no deployments file")],
)
def test_a_deployments_file_that_is_none(invoke, tmp_path, content: str, words: str) -> None:
    """It is named, and not replaced."""
    path = deployments_path(tmp_path / "deployments")
    path.parent.mkdir()
    path.write_text(content)
    result = invoke()
    assert result.exit_code == 1
    assert _message(result).startswith(f"{path} {words}")
    assert path.read_text() == content


def test_a_deployments_file_of_another_chain(invoke, tmp_path, deployer) -> None:
    """A contract at the same address elsewhere is not the one that was deployed."""
    path = deployments_path(tmp_path / "deployments")
    put_factory(deployer, path)
    path.write_text(path.read_text().replace("31337", "1"))
    result = invoke()
    assert result.exit_code == 1
    assert _message(result) == f"{path} is of chain 1, connected is chain 31337"


def test_what_the_contract_refuses_is_told_by_its_name(
    project, deployer, collector, tmp_path
) -> None:
    """Its error with all values on one line."""
    factory = deployer.deploy(project.TradingSessionFactory)
    options = small_options(tmp_path)
    terms = make_terms(options, STORIES["honest"], str(collector.address), 3)
    word = b"\1" * 32
    broken = replace(terms, deposit=2, task=word, encryption_key=word)
    with pytest.raises(ActionRefused) as refusal:
        ChainSession.create(factory, broken, 0, collector)
    assert refusal.value.message == (
        f"createSession by {collector.address} refused: "
        f"DepositTooLow (deposit 2, least {terms.burn})"
    )


def test_a_story_that_did_not_happen_fails(invoke, tmp_path) -> None:
    """Where the culprit was never asked for a review nothing was shown: no success is claimed."""
    result = invoke("--story", "silent-candidate", "--plan", "noise:1,clean")
    assert result.exit_code == 1
    assert "provider 1, which misbehaves in its review, was asked for none" in " ".join(
        result.output.split()
    )
    assert _message(result) == "ended otherwise than they should: silent-candidate"


def test_a_key_that_everybody_knows_signs_on_no_real_network(monkeypatch) -> None:
    """The test mnemonic's accounts, imported into a keystore, are refused."""
    known = ape.accounts.test_accounts[0]
    keystore = SimpleNamespace(
        load=lambda alias: SimpleNamespace(address=known.address),
        test_accounts=ape.accounts.test_accounts,
    )
    monkeypatch.setattr("scripts._stage.accounts.ape.accounts", keystore)
    monkeypatch.setattr("scripts._stage.accounts.is_local", lambda: False)
    with pytest.raises(click.ClickException, match=f"mine is {known.address}, whose key everybody"):
        load("mine", sign_unasked=False)


def test_an_account_that_is_not_there() -> None:
    """The alias is named."""
    with pytest.raises(click.ClickException, match="no keystore account called 'nobody'"):
        load("nobody", sign_unasked=False)
