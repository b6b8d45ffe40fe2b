"""`ape run share` from the command line: its help, its refusals, and a small run to the end."""

from __future__ import annotations

import json
from collections.abc import Callable

import ape
import pytest
from click.testing import CliRunner, Result

from offchain.sum.agents import STRATEGIES
from scripts import share

SMALL = ("--submissions", "40", "--words", "100")

REFUSED = {
    "unknown kind": (["--agents", "good,angel"], "agents: 'angel' is none of good, bad, honest"),
    "no count": (["--agents", "good:x"], "agents: 'good:x' needs a count of 1 to 8"),
    "none of them": (["--agents", "good:0"], "agents: 'good:0' needs a count of 1 to 8"),
    "too many": (["--agents", "good:5,bad:4"], "agents: at most 8, not 9"),
    "too few submissions": (["--submissions", "9"], "9 is not in the range 10<=x<=5000"),
    "more than there are": (
        ["--submissions", "5000", "--train-size", "0.8"],
        "4000 reviews are left to submit after training",
    ),
    "words": (["--words", "9"], "9 is not in the range 10<=x<=16000"),
    "cost": (["--submission-cost", "-1"], "-1 is not in the range 0<=x<=1000"),
    "accuracy": (["--stated-accuracy", "50"], "50.0 is not in the range 50.01<=x<=99.99"),
    "share for training": (["--train-size", "1"], "1.0 is not in the range 0.001<=x<=0.9"),
}


@pytest.fixture
def invoke(project, tmp_path, monkeypatch) -> Callable[..., Result]:
    """Runs the command on the tests' chain, writing to an empty folder."""
    monkeypatch.setenv("APE_FOUNDRY_HOST", ape.chain.provider.uri)

    def run(*options: str) -> Result:
        given = [*SMALL, "--reports", str(tmp_path / "reports"), *options]
        return CliRunner().invoke(share.cli, given)

    return run


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_is_said_in_one_line(invoke, tmp_path, what: str) -> None:
    """The line names value and bound; chain and files stay as they were."""
    options, words = REFUSED[what]
    height = ape.chain.blocks.height
    result = invoke(*options)
    message = result.output.partition("Error: ")[2].rstrip("\n")
    assert result.exit_code != 0
    assert words in message
    assert "\n" not in message
    assert ape.chain.blocks.height == height
    assert not list(tmp_path.iterdir())


def test_help_explains_every_option_and_names_every_strategy() -> None:
    text = CliRunner().invoke(share.cli, ["--help"]).output
    for option in share.cli.params:
        assert option.opts[0] in text
        assert getattr(option, "help", None), option.opts[0]
    for name in STRATEGIES:
        assert name in text


@pytest.mark.parametrize("cost", [[], ["--stated-accuracy", "77"]], ids=["same", "information"])
def test_a_run_ends_with_its_tables_plots_and_record(invoke, tmp_path, cost) -> None:
    """Reviews from the package, a chain that answers as the simulation does, nobody left out."""
    result = invoke("--agents", "good,bad,copycat", "--submission-cost", "2", *cost)
    assert result.exit_code == 0, result.output
    assert "none differed" in result.output
    folder = tmp_path / "reports" / "share"
    names = {"record.json", "report.html", "balances.png", "accuracy.png"}
    assert {file.name for file in folder.iterdir()} == names
    page = (folder / "report.html").read_text()
    for words in ("copycat 1", "none differed", "addData", "Settings"):
        assert words in page
    record = json.loads((folder / "record.json").read_text())
    assert [agent["name"] for agent in record["agents"]] == ["good 1", "bad 1", "copycat 1"]
    assert sum(agent["submitted"] for agent in record["agents"]) >= 40
    gained = sum(agent["balance"] - agent["start_balance"] for agent in record["agents"])
    assert gained == pytest.approx(0, abs=1e-6), "what they paid is what they got"
