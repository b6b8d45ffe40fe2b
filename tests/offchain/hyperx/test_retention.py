"""What providers have to keep: looked at before anybody is chosen, by collector and onlookers."""

from __future__ import annotations

from dataclasses import replace
from threading import Barrier

import pytest

from offchain.hyperx.collector import Collector
from offchain.hyperx.safekeeping import promised_by_members
from offchain.storage import ContentMissing, cid_from_digest
from tests.kit.memory_store import MemoryStore
from tests.offchain.hyperx.small_market import ANNA, BERT, CARL, COLLECTOR, SHARDS, honest


def registered(folder, **changes):
    """All have submitted features; nobody is chosen yet."""
    market = honest(folder, **changes)
    market.play(until=market.chain.terms.registration_end)
    return market


def lose(market, account, shard):
    """The provider's node loses a shard."""
    cid = market.roles[account].dataset.cids[shard]
    market.store(account).remove(cid)
    return cid


def test_the_collector_was_promised_every_published_shard_of_those_left(tmp_path):
    market = registered(tmp_path)
    promised = market.role(COLLECTOR).promised()
    assert {(one.cid, one.by) for one in promised} == {
        (cid, account)
        for account in (ANNA, BERT, CARL)
        for cid in market.roles[account].dataset.cids
    }
    session = market.play()
    assert session.deal.provider == BERT
    assert market.role(COLLECTOR).promised() == ()


def test_nothing_is_promised_of_hidden_shards(tmp_path):
    assert registered(tmp_path, published_addresses=False).role(COLLECTOR).promised() == []


class Trusting(Collector):
    """Chooses without having the shards in its own node."""

    def _keep_shards(self, member, patience):
        pass


@pytest.mark.parametrize("kind", [Collector, Trusting])
def test_who_lost_a_shard_is_passed_over_before_a_review(tmp_path, kind):
    """Whoever trusts the promise chooses the best all the same, and buys nothing."""
    market = honest(tmp_path)
    market.collector(kind=kind)
    market.play(until=market.chain.terms.registration_end)
    opened = lose(market, BERT, 0), *[lose(market, BERT, i) for i in range(1, SHARDS)]
    session = market.play()
    if kind is Collector:
        assert session.deal.provider == CARL
        assert not session.members[BERT].tried
        assert opened[0] in market.roles[COLLECTOR].objections[BERT]
    else:
        assert session.members[BERT].tried
        assert session.deal is None or session.deal.provider != BERT


def test_a_provider_whose_node_lost_shards_stores_them_again(tmp_path):
    market = registered(tmp_path)
    lost = [lose(market, BERT, i) for i in (2, 5)]
    store, role = market.store(BERT), market.role(BERT)
    assert store.lost(role.dataset.cids, 0) == lost
    role.store_again()
    assert store.lost(role.dataset.cids, 0) == []
    assert market.play().deal.provider == BERT


def test_a_provider_was_promised_the_documents_until_its_features_are_out(tmp_path):
    market = honest(tmp_path)
    assert market.role(ANNA).promised() == ()  # nothing agreed to yet
    market.rest()
    role = market.role(ANNA)
    me = role.session.members[ANNA]
    assert me.features is not None
    assert role.promised() == ()
    role.session.members[ANNA] = replace(me, features=None)
    assert {one.cid for one in role.promised()} == set(role.task.documents.values())


def test_an_onlooker_finds_the_way_from_manifests_to_shards(tmp_path):
    market = registered(tmp_path)
    session = market.chain.session()
    store, reached = MemoryStore(market.network), set()
    kinds = []
    for _ in range(3):
        found = promised_by_members(store, session, reached)
        kinds.append(sorted({one.what.split()[0] for one in found}))
        reached |= {one.cid for one in found}
    lists = ["addresses", "key", "manifest"]
    assert kinds == [["manifest"], lists, [*lists, "shard"]]
    shards = {one.cid for one in promised_by_members(store, session, reached)}
    assert shards >= {cid for a in (ANNA, BERT, CARL) for cid in market.roles[a].dataset.cids}
    gone = session.members[ANNA].manifest
    market.network[cid_from_digest(gone)] = b"not a manifest"
    assert promised_by_members(store, session, reached)  # of the others
    assert promised_by_members(store, market.play(), reached) == []


def test_those_whose_lists_do_not_come_are_waited_for_side_by_side(tmp_path):
    """Of each a block was there, and the rest is withheld: it costs one node's patience, not
    three."""
    market = registered(tmp_path)
    session = market.chain.session()
    together = Barrier(len(session.members))

    class Withheld(MemoryStore):
        def get(self, cid, max_bytes=None):
            together.wait(10)
            raise ContentMissing(cid)

    manifests = {cid_from_digest(one.manifest) for one in session.members.values()}
    found = promised_by_members(Withheld(market.network), session, manifests)
    assert {one.cid for one in found} == manifests
