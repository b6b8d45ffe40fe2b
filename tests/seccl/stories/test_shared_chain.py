"""The rehearsal on a chain whose time others move: it waits, and ends as on a chain of its own."""

from __future__ import annotations

import json

import click
import pytest

from scripts._seccl import options as module
from scripts._seccl.options import FederateOptions
from scripts._seccl.play import federate
from scripts._stage import chain
from scripts.federate import cli
from tests.kit.options import options_of
from tests.kit.shared_chain import shared_chain
from tests.kit.strangers import go_to


def test_it_waits_for_windows_where_blocks_come_by_themselves(
    project, monkeypatch, tmp_path
) -> None:
    options = options_of(cli, FederateOptions, member=(), images=200, test=50)
    small = {"participants": 3, "rounds": 1, "winners": 0.4, "hours": 0.7, "deployments": "none"}
    options = FederateOptions(**vars(options) | small)
    with shared_chain(tmp_path, monkeypatch) as uri:
        assert not chain.alone()
        waited = []

        def outside(timestamp: int) -> None:
            """Somebody else moves the time."""
            waited.append(timestamp)
            go_to(uri, timestamp)

        monkeypatch.setattr(chain, "wait_until", outside)
        federate(options, tmp_path / "reports", tmp_path / "kept", None, None)
    record = json.loads((tmp_path / "reports" / "federate" / "record.json").read_text())
    assert record["convicted"] is None
    assert record["checked"]["messages"] == 6
    # The start, both windows, and the end of accusations.
    assert len(waited) >= 3


def test_off_a_local_chain_each_account_is_named(project, monkeypatch) -> None:
    monkeypatch.setattr(module, "is_local", lambda: False)
    options = options_of(cli, FederateOptions, member=("a", "b"), server="s", participants=3)
    with pytest.raises(click.ClickException, match="--server and 3 times --member, not 2 times"):
        options.check()
    full = FederateOptions(**vars(options) | {"member": ("a", "b", "c"), "winners": 0.4})
    full.check()
    with pytest.raises(click.ClickException, match="new-key: a second key of the server's"):
        FederateOptions(**vars(full) | {"new_key": 1}).check()
