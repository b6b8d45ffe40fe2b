"""`ape run price` where others live, too: it waits as they do, and its books are its own."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import ape

from scripts._mde.seats import CONTRACT
from scripts._stage.deployments import ready
from tests.kit.nursery import COMMAND, Forked
from tests.kit.shared_chain import shared_chain
from tests.kit.strangers import SECONDS, go_to
from tests.mde.deal_driver import make_deal

SMALL = ("--sellers", "useful,redundant", "--samples", "20", "--own", "100", "--orders", "1")
SMALL += ("--validation", "120", "--test", "120", "--minutes", "10")


def told(line: str) -> int:
    """The Unix time that a line ends in, a minute later, since it says no seconds."""
    now = datetime.fromtimestamp(int(ape.chain.blocks.head.timestamp), UTC)
    said = datetime.strptime(f"{now.year} {line.rpartition(', ')[2]}", "%Y %d %B %H:%M UTC")
    then = int(said.replace(tzinfo=UTC).timestamp()) + 60
    return max(then, int(now.timestamp()) + 1)


def rehearse(uri: str, folder: Path) -> str:
    """Plays it by a process of its own; its output. Time passes when it says that it waits."""
    environment = os.environ | {"APE_FOUNDRY_HOST": uri, "SOUK_HOME": str(folder / "souk")}
    environment.setdefault("APE_DATA_FOLDER", str(ape.config.DATA_FOLDER))
    said, seen, begun = folder / "log", 0, time.monotonic()
    process = Forked(COMMAND, ["price", *SMALL, "--reports", str(folder)], environment, said)
    try:
        while process.poll() is None:
            assert time.monotonic() < begun + SECONDS, said.read_text()
            waits = [line for line in said.read_text().splitlines() if line.startswith("-- ")]
            if len(waits) > seen:
                seen += 1
                go_to(uri, told(waits[-1]))
            time.sleep(0.3)
    finally:
        process.kill()
    assert process.wait() == 0, said.read_text()
    return said.read_text()


def test_a_rehearsal_ends_justly_on_a_chain_whose_time_passes_by_itself(
    project, tmp_path, monkeypatch
) -> None:
    """Somebody else's order and money are in the same contract, and stay there."""
    with shared_chain(tmp_path, monkeypatch) as uri:
        tests = ape.accounts.test_accounts
        (sale,) = ready(tests[0], CONTRACT)
        strange = make_deal(sale, tests[20], tests[21])
        strange.post()
        strange.register()
        theirs = [strange.budget, strange.funds]
        rehearse(uri, tmp_path)
        record = json.loads((tmp_path / "price" / "honest" / "record.json").read_text())
        assert record["wrong"] == []
        assert record["contract"] == sale.address
        assert sum(one["paid"] for one in record["sellers"]) > 0
        assert [strange.budget, strange.funds] == theirs
