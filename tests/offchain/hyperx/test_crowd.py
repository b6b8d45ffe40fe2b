"""Many accounts that register what is nowhere: they take nobody's turn.

The twin looks for one manifest after the other, as the collector once did.
"""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from offchain.hyperx import actions as do
from offchain.hyperx import manifests
from offchain.hyperx.policy import Policy
from offchain.hyperx.provider import Provider
from offchain.hyperx.session import State
from offchain.storage import (
    ContentMissing,
    DatastoreUnavailable,
    cid_from_digest,
    embedded,
    kubo_worker,
    retention,
    together,
)
from tests.kit.memory_store import MemoryStore
from tests.offchain.hyperx.small_market import (
    ANNA,
    BERT,
    CARL,
    COLLECTOR,
    SmallMarket,
    digits,
    evaluation,
    honest,
)

CROWD = 200
SLOW_SECONDS = 0.1


class SlowNode(MemoryStore):
    """Looks for a while for what is not there."""

    asked = 0

    def get(self, cid, max_bytes=None):
        try:
            return super().get(cid, max_bytes)
        except ContentMissing:
            self.asked += 1
            time.sleep(SLOW_SECONDS)
            raise


class NoManifest(Provider):
    """Registers a manifest that is nowhere; its deposit comes back."""

    def register(self):
        return replace(super().register(), manifest=self.account[2:34].encode())


@pytest.fixture
def crowded(tmp_path, monkeypatch):
    """Bert, behind a crowd without manifests, before a collector that has a second to look."""
    monkeypatch.setattr(manifests, "SETTLE_SECONDS", 0.3)
    monkeypatch.setattr(manifests, "LOOK_SECONDS", 2.0)
    market = SmallMarket(tmp_path)
    market.provider(CARL, 4, NoManifest)
    template = market.role(CARL).register()
    for number in range(1, CROWD + 1):
        fake = "0x" + f"{number:040x}"
        market.chain.send(replace(template, manifest=fake[2:34].encode()), fake)
    del market.seats[CARL]
    market.provider(BERT, 9)
    market.act(BERT)
    market.stores[COLLECTOR] = SlowNode(market.network)
    market.collector()
    return market


def first_sampled(market):
    action = market.role(COLLECTOR).next_action(market.chain.clock)
    return action and action.provider


def test_the_last_in_a_crowd_is_sampled_first(crowded):
    assert first_sampled(crowded) == BERT


def test_one_after_the_other_there_is_no_turn_for_the_last(crowded, monkeypatch):
    monkeypatch.setattr(manifests, "PARALLEL", 1)
    assert first_sampled(crowded) is None


def test_a_node_has_room_for_all_who_wait_at_once():
    """Else one that looks for the last manifest would end the node, and with it what others fetch:
    candidates side by side, contents read ahead, and looks at what was promised."""
    others = together.PARALLEL + embedded.AHEAD + retention.SOME
    assert manifests.PARALLEL + others <= kubo_worker.MOST_FETCHES


def test_a_manifest_that_turns_up_later_is_sampled_then(tmp_path):
    """The provider's node was down for a while; the others had their samples meanwhile."""
    market = honest(tmp_path)
    for account in (ANNA, BERT, CARL):
        market.act(account)
    cid = cid_from_digest(market.chain.session().members[ANNA].manifest)
    away = market.network.pop(cid)
    market.stores[ANNA].pinned.clear()
    sampled = [market.act(COLLECTOR) for _ in range(3)]
    assert [action and action.provider for action in sampled] == [BERT, CARL, None]
    market.network[cid] = away
    action = market.act(COLLECTOR)
    assert isinstance(action, do.SampleData)
    assert action.provider == ANNA
    assert market.role(COLLECTOR).objections == {}


def test_those_that_are_there_are_sampled_in_the_order_of_registration(tmp_path):
    market = honest(tmp_path)
    for account in (CARL, ANNA, BERT):
        market.act(account)
    assert [market.act(COLLECTOR).provider for _ in range(3)] == [CARL, ANNA, BERT]


def test_an_own_node_that_fails_is_said_and_asked_again(tmp_path):
    market = honest(tmp_path)
    market.act(ANNA)

    class Sick(MemoryStore):
        sick = False

        def get(self, cid, max_bytes=None):
            if self.sick:
                raise DatastoreUnavailable("the node does not answer")
            return super().get(cid, max_bytes)

    node = market.stores[COLLECTOR] = Sick(market.network)
    market.collector()
    assert market.role(COLLECTOR).task  # has it
    node.sick = True
    with pytest.raises(DatastoreUnavailable):
        market.role(COLLECTOR).next_action(market.chain.clock)
    node.sick = False
    assert first_sampled(market) == ANNA


# ---------------------------------------------------------------------- nobody good is left


def test_what_only_guesses_is_bought_by_nobody(tmp_path):
    """Anna's ones teach a head to say one: a tenth of the digits, as guessing does."""
    market = SmallMarket(tmp_path)
    market.provider(ANNA, 1)
    how = replace(evaluation(), validation=digits().subset(range(0, 5000, 10)))
    market.collector(Policy(sample_seed=3), how=how)
    session = market.play()
    assert (session.state, session.deal) == (State.CLOSED, None)
    assert market.role(COLLECTOR).objections[ANNA] == "accuracy 0.100 below 0.146"
    market = SmallMarket(tmp_path / "twin")
    market.provider(ANNA, 1)
    market.collector(Policy(sample_seed=3, least_accuracy=0), how=how)
    assert market.play().deal.provider == ANNA


@pytest.mark.parametrize(("every", "least"), [(1, 0.114), (10, 0.146), (50, 0.21)])
def test_the_margin_over_chance_shrinks_with_the_validation_set(every, least):
    how = replace(evaluation(), validation=digits().subset(range(0, 5000, every)))
    assert how.least_accuracy == pytest.approx(least, abs=0.005)


def test_where_one_class_prevails_saying_it_is_no_knowledge():
    places = [*range(450), *range(500, 5000, 90)]
    how = replace(evaluation(), validation=digits().subset(places))
    assert how.least_accuracy > 0.9
