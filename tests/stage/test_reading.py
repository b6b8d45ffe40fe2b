"""Who only reads need not stop what runs in the same home."""

from __future__ import annotations

import pytest

from offchain.storage import DatastoreLocked, Network, cid_of, open_datastore
from scripts._stage import reading
from scripts._stage.errors import one_line_each
from scripts._stage.reading import reading_store

LOCAL = Network()


def test_what_another_command_has_is_read_while_it_runs(tmp_path, monkeypatch):
    """It is asked for it, and nobody else needs to be there."""
    monkeypatch.setattr(reading, "chain_home", lambda: tmp_path)
    content = b"in the node of the command that runs"
    with open_datastore(None, tmp_path / "ipfs", LOCAL) as runs:
        runs.put(content)
        with reading_store(None, LOCAL) as reads:
            assert reads.get(cid_of(content)) == content
    with reading_store(None, LOCAL) as alone:
        assert alone.repo == tmp_path / "ipfs"


def test_who_acts_is_told_what_a_second_command_wants(tmp_path, monkeypatch):
    def locked(*_):
        raise DatastoreLocked("the IPFS repository x: process 7 has it open")

    monkeypatch.setattr(reading, "chain_home", lambda: tmp_path)
    monkeypatch.setattr(reading, "open_datastore", locked)
    with pytest.raises(Exception, match=r"process 7 has it open\. A second"), one_line_each():
        reading_store(None, LOCAL)
