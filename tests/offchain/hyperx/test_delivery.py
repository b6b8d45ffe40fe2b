"""Sealed settlement in the roles: the collector alone gets the key, disputes a wrong one only."""

from dataclasses import replace

import pytest

from offchain.crypto.commitments import Party, root_of
from offchain.crypto.errors import SealError
from offchain.crypto.sealing import FIELD, ORDER, new_secret, point_of
from offchain.crypto.settlement import Settlement, delivery_margin
from offchain.hyperx import actions as do
from offchain.hyperx import adversaries
from offchain.hyperx import delivery as dl
from offchain.hyperx import events as ev
from offchain.hyperx.provider import Provider
from offchain.hyperx.session import Member, State
from tests.offchain.hyperx.session_in_memory import Refused
from tests.offchain.hyperx.small_market import BERT, COLLECTOR, honest, sold

PARTY = Party(1, "0x" + "5e" * 20, BERT)
KEY = bytes(range(32))


def delivery(sealed):
    return ev.KeyDelivered(BERT, sealed.ephemeral_x, sealed.sealed[0], (), 0)


def member(keys):
    return Member(BERT, root_of(PARTY.key_leaves(keys)), bytes(32), bytes(32))


def sealed_market(folder, kind=Provider, **terms):
    market = honest(folder, settlement=Settlement.SEALED, **terms)
    market.provider(BERT, 9, kind)
    return market


def delivered(market):
    """Plays until the key is delivered and nobody has looked at it."""
    market.play(until=1000)
    market.chain.now = 2000
    for account in (COLLECTOR, BERT, COLLECTOR, BERT):
        market.act(account)
    assert market.chain.session().state == State.DELIVERED
    return market


# ---------------------------------------------------------------------- the key and its evidence


@pytest.mark.parametrize("count", [1, 2, 7, 12])
def test_the_right_key_is_read_and_leaves_nothing_to_dispute(count):
    secret = new_secret()
    keys = PARTY.shard_keys(KEY, count)
    sent = delivery(dl.seal_session_key(point_of(secret), KEY))
    assert dl.right_key(PARTY, member(keys), sent, secret, count) == KEY
    with pytest.raises(ValueError, match=f"yields all {count} committed keys"):
        dl.wrong_shard(PARTY, sent, secret, PARTY.key_leaves(keys))


@pytest.mark.parametrize("foreign", range(5))
def test_one_shard_key_that_does_not_derive_is_found(foreign):
    """The session key is the provider's own, and yet it opens not all that was committed."""
    secret = new_secret()
    keys = PARTY.shard_keys(KEY, 5)
    keys[foreign] = bytes(32)
    sent = delivery(dl.seal_session_key(point_of(secret), KEY))
    assert dl.right_key(PARTY, member(keys), sent, secret, 5) is None
    assert dl.wrong_shard(PARTY, sent, secret, PARTY.key_leaves(keys)) == foreign


@pytest.mark.parametrize("x", [0, 5, FIELD, 2**256 - 1])
def test_a_point_that_is_none_is_a_wrong_key(x):
    secret = new_secret()
    sent = replace(delivery(dl.seal_session_key(point_of(secret), KEY)), ephemeral_x=x)
    with pytest.raises(SealError, match="lies on no point"):
        dl.delivered_key(secret, sent)
    keys = PARTY.shard_keys(KEY, 3)
    assert dl.right_key(PARTY, member(keys), sent, secret, 3) is None
    assert dl.wrong_shard(PARTY, sent, secret, PARTY.key_leaves(keys)) == 0


def test_nobody_else_reads_the_key():
    sent = delivery(dl.seal_session_key(point_of(new_secret()), KEY))
    assert dl.delivered_key(new_secret(), sent) != KEY
    again = dl.seal_session_key(point_of(7), KEY), dl.seal_session_key(point_of(7), KEY)
    assert again[0].ephemeral_x != again[1].ephemeral_x < ORDER
    assert again[0].sealed != again[1].sealed


# ---------------------------------------------------------------------- the roles


@pytest.mark.parametrize("published", [True, False])
def test_the_collector_gets_the_dataset_and_the_chain_never_the_key(tmp_path, published):
    market = sealed_market(tmp_path, published_addresses=published)
    session = market.play()
    assert session.members[BERT].paid == 1600
    assert market.role(COLLECTOR, restart=True).dataset().digest() == sold(9)
    key = market.role(BERT).session_key
    assert key not in [value for e in market.chain.events for value in vars(e).values()]
    kinds = [type(step.action) for step in market.steps]
    assert do.DeliverKey in kinds
    assert not {do.ClaimReward, do.ProveWrongDelivery} & set(kinds)


@pytest.mark.parametrize("published", [True, False])
def test_a_wrong_key_is_disputed_and_costs_the_deposit(tmp_path, published):
    market = sealed_market(tmp_path, adversaries.WrongDelivery, published_addresses=published)
    session = market.play()
    assert session.deal is None
    assert (session.reclaimed, session.members[BERT].paid) == (1600, None)
    assert (
        market.role(COLLECTOR).objections[BERT].startswith("delivered a session key that is wrong")
    )
    with pytest.raises(ValueError, match="closed without a deal"):
        market.role(COLLECTOR).dataset()


def test_evidence_outlives_the_collector_and_the_provider(tmp_path):
    """Bert takes all he stored out of the network, and the collector is killed: its one-time key
    is on disk and the leaves are pinned."""
    market = delivered(sealed_market(tmp_path, adversaries.WrongDelivery))
    for cid in list(market.stores[BERT].pinned):
        market.stores[BERT].remove(cid)
    action = market.act(COLLECTOR, restart=True)
    assert isinstance(action, do.ProveWrongDelivery)


def test_a_right_key_needs_no_leaves(tmp_path):
    """With the key in hand the collector derives them: nothing has to be fetched to accept."""
    market = delivered(sealed_market(tmp_path))
    market.network.clear()
    market.stores[COLLECTOR].pinned.clear()
    assert market.act(COLLECTOR, restart=True) is None


def test_a_false_dispute_is_refused_and_changes_nothing(tmp_path):
    market = sealed_market(tmp_path)
    market.collector(kind=adversaries.FalseAccuser)
    delivered(market)
    with pytest.raises(Refused, match="KeyIsRight"):
        market.act(COLLECTOR)
    market.steps.pop()
    assert market.play().members[BERT].paid == 1600


@pytest.mark.parametrize(("window", "margin"), [(100, 20), (600, 120), (86_400, 3_600)])
def test_neither_review_nor_delivery_is_sent_in_the_last_moment(tmp_path, window, margin):
    """Refused for coming too late it would have given the keys away: the collector reads them."""
    market = sealed_market(tmp_path, response_time=window, expiry=2100 + 5 * window)
    market.play(until=1000)
    market.chain.now = 2000
    for turn in (do.SubmitReview, do.DeliverKey):
        market.act(COLLECTOR)
        late = market.chain.session().deadline - margin
        market.chain.now = late
        assert market.role(BERT).next_action(market.chain.clock) is None
        market.chain.now = late - 1
        assert isinstance(market.act(BERT), turn)


def test_the_last_moment_is_ten_blocks_of_the_shortest_window():
    """A window has ten minutes at least (contracts/exchange/Window.sol), a block twelve seconds."""
    assert delivery_margin(600) == 10 * 12


def test_a_collector_that_slept_has_paid_for_a_wrong_key_and_is_told_so(tmp_path):
    market = delivered(sealed_market(tmp_path, adversaries.WrongDelivery))
    market.chain.now = 3000
    market.act(BERT)
    with pytest.raises(ValueError, match="delivered a wrong key, and nobody disputed it in time"):
        market.role(COLLECTOR, restart=True).dataset()
