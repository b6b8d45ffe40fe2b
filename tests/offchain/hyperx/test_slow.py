"""Content that comes slowly, each piece just before a node gives up: it takes nobody else's time.

The chain's time passes with the collector's waiting. The twins are collectors whose own clock
stands still, so that they wait without end.
"""

from __future__ import annotations

import pytest

from offchain.data.originals import originals_of
from offchain.hyperx import actions as do
from offchain.hyperx import patience
from tests.kit.memory_store import MemoryStore
from tests.offchain.hyperx.session_in_memory import Refused
from tests.offchain.hyperx.small_market import (
    ANNA,
    CARL,
    COLLECTOR,
    SmallMarket,
    digits,
    of_digit,
)

HOUR = 3_600
HOURS = {
    "registration_end": HOUR,
    "submission_end": 2 * HOUR,
    "expiry": 4 * HOUR,
    "response_time": 600,
}


class SlowNode(MemoryStore):
    """Gets each of the contents `slow` after `seconds` of the chain's time, once."""

    def __init__(self, network, chain, slow, seconds):
        super().__init__(network)
        self.chain, self.slow, self.seconds = chain, set(slow), seconds
        self.start, self.waited = chain.now, 0.0

    def get(self, cid, max_bytes=None):
        if cid in self.slow:
            self.slow.remove(cid)
            self.waited += self.seconds
            self.chain.now = int(self.start + self.waited)
        return super().get(cid, max_bytes)


def slowly(market, account, seconds, monkeypatch, *, endless=False):
    """From now on the collector gets the account's shards slowly."""
    slow = SlowNode(market.network, market.chain, market.role(account).dataset.cids, seconds)
    slow.pinned = dict(market.stores[COLLECTOR].pinned)
    market.stores[COLLECTOR] = slow
    market.collector()
    del market.roles[COLLECTOR]
    start = market.chain.now
    monkeypatch.setattr(
        patience, "monotonic", (lambda: start) if endless else (lambda: market.chain.now)
    )


@pytest.fixture
def choosing(tmp_path):
    """Anna's score is best and her shards are slow; Carl is honest; it is time to choose."""
    market = SmallMarket(tmp_path, **HOURS, shard_count=150, shard_size=1, sample_bps=1000)
    market.provider(ANNA, originals_of(digits().subset(range(4800, 4950), "slow")))
    market.provider(CARL, originals_of(digits().subset(range(150), "honest")))
    market.collector()
    market.play(until=HOUR)
    market.chain.now = 2 * HOUR
    return market


def test_slow_shards_take_no_more_than_a_share_of_the_time_to_choose(choosing, monkeypatch):
    slowly(choosing, ANNA, 40, monkeypatch)
    action = choosing.act(COLLECTOR)
    assert isinstance(action, do.SetCandidate)
    assert action.provider == CARL
    # Two candidates, and a third share for what comes after.
    whole = choosing.chain.terms.selection_end - 2 * HOUR
    assert choosing.chain.now - 2 * HOUR == pytest.approx(whole / 3, abs=60)
    said = choosing.role(COLLECTOR).objections[ANNA]
    assert said.startswith("shards: ")
    assert "of 150 shards came within" in said


def test_a_collector_that_waits_without_end_chooses_too_late(choosing, monkeypatch):
    slowly(choosing, ANNA, 40, monkeypatch, endless=True)
    with pytest.raises(Refused, match="TooLate"):
        choosing.act(COLLECTOR)


def test_what_came_is_kept_so_that_the_best_is_asked_once_all_is_there(choosing, monkeypatch):
    """Nobody else is left: it comes back to her, and has most of it already."""
    slowly(choosing, ANNA, 20, monkeypatch)
    role = choosing.role(COLLECTOR)
    monkeypatch.setattr(role, "ranking", lambda: [ANNA])
    assert choosing.act(COLLECTOR) is None
    action = choosing.act(COLLECTOR)
    assert isinstance(action, do.SetCandidate)
    assert action.provider == ANNA


@pytest.fixture
def reviewing(tmp_path):
    """Anna, who hides 100 opened shards, has opened her review; the window has 600 s."""
    hidden = {"published_addresses": False, "shard_count": 200, "shard_size": 1}
    market = SmallMarket(tmp_path, **HOURS, **hidden, sample_bps=5000, deposit=1000)
    market.provider(ANNA, of_digit(9, 200))
    market.collector()
    market.play(until=HOUR)
    market.chain.now = 2 * HOUR
    market.act(COLLECTOR)
    market.act(ANNA)
    assert market.chain.session().disclosed
    return market


def test_a_review_of_slow_shards_is_decided_in_its_window(reviewing, monkeypatch):
    slowly(reviewing, ANNA, 7.25, monkeypatch)
    session = reviewing.chain.session()
    action = None
    while action is None:
        action = reviewing.act(COLLECTOR)
        assert reviewing.chain.now < session.deadline
    assert action == do.RefuseReview(ANNA)
    assert session.last_look <= reviewing.chain.now


def test_without_patience_that_ends_the_window_passes(reviewing, monkeypatch):
    slowly(reviewing, ANNA, 7.25, monkeypatch, endless=True)
    with pytest.raises(Refused):
        reviewing.act(COLLECTOR)
