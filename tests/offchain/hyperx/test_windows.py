"""The collector at the edges of its windows, and with its own node failing."""

import pytest

from offchain.crypto.settlement import Settlement
from offchain.hyperx import adversaries
from offchain.hyperx.provider import Provider
from offchain.storage import DatastoreUnavailable
from tests.kit.memory_store import MemoryStore
from tests.offchain.hyperx.session_in_memory import Refused, held
from tests.offchain.hyperx.small_market import BERT, COLLECTOR, honest
from tests.offchain.hyperx.test_collector import Repeats

STORIES = {
    "honest": {},
    "hidden": {"published_addresses": False},
    "a wrong key": {"kind": adversaries.WrongKey},
    "silence": {"kind": adversaries.SilentCandidate},
    "a refusal": {"kind": Repeats, "further_reviews": 1},
    "the last refusal": {"kind": Repeats},
    "no claim": {"kind": adversaries.NeverClaims},
    "sealed": {"settlement": Settlement.SEALED},
    "sealed and hidden": {"settlement": Settlement.SEALED, "published_addresses": False},
    "sealed, a wrong key": {"settlement": Settlement.SEALED, "kind": adversaries.WrongDelivery},
    "sealed, no delivery": {"settlement": Settlement.SEALED, "kind": adversaries.NeverClaims},
}


def story(folder, kind=Provider, **terms):
    market = honest(folder, **terms)
    market.provider(BERT, 9, kind)
    market.play()
    return market


@pytest.mark.parametrize("name", STORIES)
def test_what_is_owed_is_what_is_held_after_every_event_of_every_story(tmp_path, name):
    chain = story(tmp_path, **STORIES[name]).chain
    for height in range(len(chain.blocks) + 1):
        prefix = chain.up_to(height)
        session = prefix.session()
        owed = sum(session.owed_to(account) for account in session.members)
        assert owed + session.owed_to_collector() == held(chain.terms, prefix.events)
    assert chain.held == 0


@pytest.mark.parametrize("name", STORIES)
def test_every_action_is_legal_at_every_edge_of_every_window(tmp_path, name):
    """At each height of each story every party is asked at each edge still ahead, a second before
    and a second after it; what it wants, the contract must take."""
    market = story(tmp_path, **STORIES[name])
    whole, tried = market.chain, 0
    for height in range(len(whole.blocks) + 1):
        market.chain = whole.up_to(height)
        start = market.chain.now
        times = {start, *(edge + d for edge in market.edges() for d in (-1, 0, 1))}
        for now in sorted(time for time in times if time >= start):
            for account in market.seats:
                chain = market.chain = whole.up_to(height)
                chain.now = now
                action = market.role(account).next_action(chain.clock)
                if action is not None:
                    tried += 1
                    try:
                        chain.send(action, account)
                    except Refused as why:
                        pytest.fail(f"height {height}, time {now}, {account}: {action}: {why}")
    assert tried > 100


class NodeDown(MemoryStore):
    """The collector's own node, which fails from some call on."""

    calls_left = 10**9

    def get(self, cid, max_bytes=None):
        self.calls_left -= 1
        if self.calls_left < 0:
            raise DatastoreUnavailable("the node does not answer")
        return super().get(cid, max_bytes)


@pytest.mark.parametrize("hidden", [False, True])
def test_its_own_node_failing_is_blamed_on_no_provider(tmp_path, hidden):
    """At every step of a session the error comes through; nothing is sampled, refused or closed
    on its account, and with the node back the session ends as if nothing had been."""
    market = honest(tmp_path, published_addresses=not hidden)
    node = market.stores[COLLECTOR] = NodeDown(market.network)
    failures = 0
    acted = True
    while acted or market.advance():
        node.calls_left = 0
        try:
            action = market.role(COLLECTOR, restart=True).next_action(market.chain.clock)
        except DatastoreUnavailable:
            failures += 1
        else:
            assert action is None
        node.calls_left = 10**9
        acted = any([market.act(account) for account in market.seats])  # noqa: C419
    assert failures >= 3
    assert market.chain.session().deal.provider == BERT
