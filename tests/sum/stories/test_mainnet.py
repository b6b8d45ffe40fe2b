"""SUM's longest story under mainnet's limits (tests/kit/mainnet.py)."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner, Result

from scripts import share
from tests.kit.mainnet import SLOT_SECONDS, mainnet

SMALL = ("--submissions", "20", "--words", "100", "--agents", "good,bad", "--stated-accuracy", "77")


@pytest.fixture
def invoke(project, tmp_path):
    """Runs the command, whose clock has blocks so many seconds apart."""

    def run(seconds: int) -> Result:
        given = [*SMALL, "--block-seconds", str(seconds), "--reports", str(tmp_path)]
        return CliRunner().invoke(share.cli, given)

    return run


def test_share_with_costs_by_information(invoke, tmp_path):
    """Every call in a slot of its agent's, and what the simulation says of it is so."""
    with mainnet() as proxy:
        done = invoke(SLOT_SECONDS)
    assert done.exit_code == 0, done.output
    assert "none differed" in done.output
    calls = json.loads((tmp_path / "share" / "record.json").read_text())["calls"]
    assert {call["name"] for call in calls} >= {"addData", "refund", "report", "claimRewards"}
    assert len(proxy.sizes) > sum(call["count"] for call in calls)


def test_agents_that_come_between_two_blocks_are_noticed(invoke):
    """In one line: the chain has no such time."""
    with mainnet():
        done = invoke(1)
    assert done.exit_code == 1
    assert "came at" in done.output
