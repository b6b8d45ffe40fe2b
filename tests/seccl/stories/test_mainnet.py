"""SecCL's longest story under mainnet's limits (tests/kit/mainnet.py)."""

from __future__ import annotations

import json

from click.testing import CliRunner

from scripts import federate
from tests.kit.mainnet import mainnet

SMALL = ("--participants", "3", "--rounds", "2", "--images", "200", "--test", "50")
LONGEST = ("--lie", "withholds", "--lie-round", "1", "--ballots", "hidden", "--new-key", "1")


def test_federate_with_hidden_ballots_and_a_server_that_withholds(project, tmp_path) -> None:
    """It is challenged, convicted by its silence, and its stake is shared; members go on alone."""
    folders = (("--" + name, str(tmp_path / name)) for name in ("reports", "keep", "data-root"))
    places = [word for pair in folders for word in pair]
    with mainnet() as proxy:
        done = CliRunner().invoke(federate.cli, [*SMALL, *LONGEST, *places])
    assert done.exit_code == 0, done.output
    record = json.loads((tmp_path / "reports" / "federate" / "record.json").read_text())
    calls = {call["name"]: call["count"] for call in record["calls"]}
    assert {*calls} >= {
        *("postBatch", "openRound", "batch", "close", "challenge", "settle"),
        *("postOwn", "commit", "reveal", "claimShare", "replaceSigner"),
    }
    assert len(proxy.sizes) > sum(calls.values())
