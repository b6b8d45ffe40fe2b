"""Post as it is used: in threads, by real nodes in processes of their own, one of them killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from offchain.post import NodePost, PostError
from offchain.storage import DatastoreUnavailable, PubsubOff
from offchain.storage.embedded import EmbeddedDatastore
from tests.kit.nursery import ROOT
from tests.kit.pubsub_hub import Hub
from tests.kit.strangers import awaited
from tests.kit.wallets import KeyWallet, recover
from tests.offchain.post.parties import TOPIC


def opened(hub: Hub, name: str, path: Path | None = None) -> NodePost:
    return NodePost(hub.node(), TOPIC, KeyWallet(name), recover, path)


def test_what_one_sends_the_other_reads_and_both_keep(tmp_path):
    hub = Hub()
    anna, bert = opened(hub, "anna", tmp_path / "anna"), opened(hub, "bert")
    assert anna.send(b"hello").number == 0
    awaited("the letter", bert.letters)
    assert bert.letters() == anna.letters()
    anna.close()
    anna.close()
    again = opened(hub, "anna", tmp_path / "anna")
    assert again.letters() == bert.letters()
    assert again.send(b"again").number == 1
    again.close()
    bert.close()


def test_what_was_written_last_is_sent_before_the_end():
    hub = Hub()
    anna, bert = opened(hub, "anna"), opened(hub, "bert")
    anna.send(b"farewell")
    anna.close()
    awaited("the letter", bert.letters)
    bert.close()


def test_while_the_node_is_down_the_reader_is_told_and_then_goes_on():
    hub = Hub()
    anna, bert = opened(hub, "anna"), opened(hub, "bert")
    hub.nodes[1].up = False

    def fails() -> bool:
        try:
            bert.letters()
        except DatastoreUnavailable:
            return True
        return False

    awaited("trouble", fails)
    anna.send(b"hello")
    hub.nodes[1].up = True
    awaited("the end of it", lambda: not fails() and bert.letters())
    anna.close()
    bert.close()


def test_a_letter_that_is_too_long_is_refused_and_takes_no_number():
    anna = opened(Hub(), "anna")
    with pytest.raises(PostError, match="at most 4096 bytes, not 4097"):
        anna.send(bytes(4097))
    assert anna.send(bytes(4096)).number == 0
    anna.close()


def test_a_node_without_network_carries_no_letters(tmp_path):
    with (
        EmbeddedDatastore(tmp_path) as store,
        pytest.raises(PubsubOff, match="without network"),
    ):
        NodePost(store, TOPIC, KeyWallet("anna"), recover, None)


class Process:
    """A party in a process of its own, begun again in the same folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.lives = folder / name, name, 0
        self.folder.mkdir()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, count: int, *peers: str) -> None:
        self.lives += 1
        line = [sys.executable, "-m", "tests.offchain.post.party", str(self.folder), self.name]
        with self._log().open("wb") as log:
            self.process = subprocess.Popen(
                [*line, str(count), *peers], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
            )

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def said(self, key: str) -> list[str]:
        assert self.process is not None
        lines = self._log().read_text().splitlines()
        assert self.process.poll() is None, "\n".join(lines)
        found = [json.loads(line) for line in lines if line.startswith("{") and line[-1] == "}"]
        return [one[key] for one in found if key in one]

    def _log(self) -> Path:
        return self.folder / f"life-{self.lives}.log"


@pytest.fixture
def processes(tmp_path):
    found = [Process(tmp_path, name) for name in ("anna", "bert")]
    yield found
    for one in found:
        if one.process is not None and one.process.poll() is None:
            one.kill()


def test_two_processes_with_embedded_nodes_though_one_is_killed(processes):
    """What Anna wrote while Bert was dead he reads after he was begun again; Anna is told his."""
    anna, bert = processes
    anna.start(3)
    (peer,) = awaited("Anna's address", lambda: anna.said("peer"))
    bert.start(2, peer)
    both = sorted([f"anna {i}" for i in range(3)] + ["bert 0", "bert 1"])
    awaited("all letters here", lambda: sorted(bert.said("body")) == both)
    awaited("all letters there", lambda: sorted(anna.said("body")) == both)
    bert.kill()
    anna.kill()
    anna.start(40)
    awaited("Anna's address", lambda: anna.said("peer"))
    time.sleep(1)  # what is said meanwhile nobody hears
    bert.start(3, peer)
    more = sorted([f"anna {i}" for i in range(40)] + [f"bert {i}" for i in range(3)])
    awaited("the rest here", lambda: sorted(bert.said("body")) == more)
    awaited("the rest there", lambda: sorted(anna.said("body")) == more)
    assert [one for one in bert.said("body") if one.startswith("anna")] == [
        f"anna {i}" for i in range(40)
    ]
