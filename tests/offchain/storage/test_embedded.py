"""The embedded node's own promises: one owner, quiet, offline, and whole again after a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import pytest

from offchain.storage import ContentMissing, DatastoreUnavailable, cid_of, open_datastore
from offchain.storage.embedded import EmbeddedDatastore

OWNER = """
import sys
from pathlib import Path
from offchain.storage.embedded import EmbeddedDatastore
with EmbeddedDatastore(Path(sys.argv[1])) as store:
    print(store.put(b"kept"), flush=True)
    for i in range(1_000_000):
        store.put(i.to_bytes(4, "big") * 1000)
"""


@pytest.fixture
def owner(tmp_path):
    """Another process that has the repository open and writes to it without pause."""
    command = [sys.executable, "-c", OWNER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == cid_of(b"kept")
        yield process
        process.kill()


def kill(store: EmbeddedDatastore) -> None:
    assert store._node is not None
    store._node._process.kill()
    store._node._process.wait()


def test_a_repository_has_one_owner_at_a_time(owner, tmp_path):
    with pytest.raises(DatastoreUnavailable, match=f"{tmp_path}.*{owner.pid}"):
        EmbeddedDatastore(tmp_path)


def test_a_killed_owner_leaves_a_repository_that_works(owner, tmp_path):
    """Killed in the middle of writing, with no chance to clean up."""
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    with EmbeddedDatastore(tmp_path) as store:
        assert store.get(cid_of(b"kept")) == b"kept"
        assert store.get(store.put(b"after")) == b"after"


def test_a_killed_node_is_started_again(tmp_path):
    """One call fails, and says so; the next finds everything where it was."""
    with EmbeddedDatastore(tmp_path) as store:
        cid = store.put(b"kept")
        kill(store)
        with pytest.raises(DatastoreUnavailable, match=str(tmp_path)):
            store.put(b"more")
        assert store.get(cid) == b"kept"
        kill(store)
        assert store.get(cid) == b"kept"  # no content is blamed for the node's death


def test_content_outlives_the_datastore(tmp_path):
    with open_datastore(None, tmp_path) as store:
        cids = store.put_many([b"one", b"two"])
    with open_datastore(None, tmp_path) as store:
        assert list(store.get_many(cids)) == [b"one", b"two"]


def test_a_closed_datastore_says_so(tmp_path):
    store = EmbeddedDatastore(tmp_path)
    cid = store.put(b"x")
    store.close()
    store.close()
    with pytest.raises(DatastoreUnavailable, match="closed"):
        store.get(cid)


def test_the_node_prints_nothing_and_looks_for_nobody(tmp_path, capfd):
    with EmbeddedDatastore(tmp_path, timeout=2) as store:
        store.put(b"x")
        with pytest.raises(ContentMissing):
            store.get(cid_of(b"absent"))
    assert capfd.readouterr() == ("", "")
    config = json.loads((tmp_path / "config").read_text())
    assert config["Bootstrap"] == config["Addresses"]["Swarm"] == []
    assert config["Discovery"]["MDNS"]["Enabled"] is False


def test_a_repository_that_cannot_be_opened_is_named_with_the_reason(tmp_path):
    EmbeddedDatastore(tmp_path).close()
    (tmp_path / "version").write_text("99\n")
    with pytest.raises(DatastoreUnavailable, match=f"{tmp_path}.*cannot start the node: .+"):
        EmbeddedDatastore(tmp_path)
