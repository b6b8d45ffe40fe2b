"""The clock that a role reads is of one block, and a node that is away is told as such."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import requests

import scripts._stage.chain as stage
from offchain.roles import Clock
from scripts._stage.pool import NodeBusy


class Blocks:
    """A block comes whenever somebody looks."""

    def __init__(self) -> None:
        self._seen = 0

    @property
    def head(self) -> SimpleNamespace:
        self._seen += 1
        return SimpleNamespace(number=self._seen, timestamp=1_000 + self._seen)

    @property
    def height(self) -> int:
        return self.head.number


class NoBlocks:
    """The node is away."""

    @property
    def head(self) -> SimpleNamespace:
        raise requests.ConnectionError("refused by https://node/secret-key")


@pytest.fixture
def connected(monkeypatch):
    """Lets the connected chain have such blocks, beside others that act on it."""

    def connect(blocks) -> None:
        monkeypatch.setattr(stage, "ape", SimpleNamespace(chain=SimpleNamespace(blocks=blocks)))
        monkeypatch.setattr(stage, "alone", lambda: False)

    return connect


def test_time_and_height_are_of_one_block(connected):
    connected(Blocks())
    assert stage.clock() == Clock(1_001, 1)


@pytest.mark.parametrize("look", [stage.clock, stage.next_block, lambda: stage.wait_until(9)])
def test_a_node_that_is_away_is_waited_for_as_a_busy_one(connected, look):
    """A party tries it again (play_on); the address, with the user's key in it, is not told."""
    connected(NoBlocks())
    with pytest.raises(NodeBusy, match="the node does not answer") as told:
        look()
    assert "secret-key" not in str(told.value)
