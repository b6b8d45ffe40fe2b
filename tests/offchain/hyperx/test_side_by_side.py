"""What many accounts keep back is waited for at once: a crowd uses up nobody's time to choose.

Whoever asks for what is missing waits here until all others ask, too, as long as a time-out takes.
"""

from __future__ import annotations

from threading import Barrier, BrokenBarrierError

import pytest

from offchain.hyperx import actions as do
from offchain.hyperx import collector as module
from offchain.hyperx.provider import Provider
from offchain.storage import ContentMissing, cid_from_digest
from offchain.storage.together import PARALLEL, side_by_side
from tests.kit.memory_store import MemoryStore
from tests.offchain.hyperx.small_market import BERT, COLLECTOR, SmallMarket

CROWD = ["0x" + f"{number:040x}" for number in range(1, 9)]


class Together(MemoryStore):
    """Answers for each content of `gone`, as missing, once all of them are asked for together."""

    def __init__(self, network, gone) -> None:
        super().__init__(network)
        self.barrier, self.gone, self.alone = Barrier(len(gone)), gone, 0

    def get(self, cid, max_bytes=None):
        if cid not in self.gone:
            return super().get(cid, max_bytes)
        try:
            self.barrier.wait(1)
        except BrokenBarrierError:
            self.alone += 1
        raise ContentMissing(cid)


class NoFeatures(Provider):
    """Submits a digest of nothing."""

    def submit_features(self, me):
        return do.SubmitFeatures(nowhere(self.account))


def nowhere(account: str) -> bytes:
    return bytes.fromhex(account[2:]).rjust(32, b"\1")


def chosen(market: SmallMarket, store: Together) -> do.Action | None:
    market.stores[COLLECTOR] = store
    market.roles.pop(COLLECTOR, None)
    market.chain.now = market.chain.terms.submission_end
    return market.role(COLLECTOR).next_action(market.chain.clock)


@pytest.fixture
def features(tmp_path):
    """Eight accounts whose features are nowhere."""
    market = SmallMarket(tmp_path)
    market.provider(BERT, 9)
    for account in CROWD:
        market.provider(account, 4, NoFeatures)
    market.collector()
    market.rest()
    store = Together(market.network, {cid_from_digest(nowhere(account)) for account in CROWD})
    store.pinned = dict(market.stores[COLLECTOR].pinned)
    return market, store


@pytest.fixture
def shards(tmp_path):
    """Nine accounts of the best data, each of which keeps its shards back."""
    market = SmallMarket(tmp_path)
    market.provider(BERT, 4)
    first, *others = accounts = [*CROWD, "0x" + "99" * 20]
    for account in accounts:
        market.provider(account, 9)
    market.collector()
    market.rest()
    # The first is looked at alone.
    gone = {cid for account in others for cid in market.role(account).dataset.cids[:1]}
    for cid in market.role(first).dataset.cids:
        market.network.pop(cid)
        for store in market.stores.values():
            store.pinned.pop(cid, None)
    store = Together(market.network, gone)
    store.pinned = dict(market.stores[COLLECTOR].pinned)
    return market, store


def test_features_that_are_nowhere_are_waited_for_at_once(features):
    market, store = features
    assert chosen(market, store).provider == BERT
    assert store.alone == 0


def test_shards_that_are_kept_back_are_waited_for_at_once(shards):
    market, store = shards
    assert chosen(market, store).provider == BERT
    assert store.alone == 0


@pytest.mark.parametrize("kept_back", ["features", "shards"])
def test_one_after_the_other_costs_a_time_out_each(kept_back, request, monkeypatch):
    """The twin."""

    def in_turn(calls):
        return [one for call in calls for one in side_by_side([call])]

    market, store = request.getfixturevalue(kept_back)
    monkeypatch.setattr(module, "side_by_side", in_turn)
    assert chosen(market, store).provider == BERT
    assert store.alone >= len(CROWD)


def test_what_came_stands_in_the_order_of_the_calls():
    found = side_by_side([lambda number=number: 12 // number for number in range(3 * PARALLEL)])
    assert isinstance(found[0].exception(), ZeroDivisionError)
    assert [one.result() for one in found[1:5]] == [12, 6, 4, 3]
    assert side_by_side([]) == []
