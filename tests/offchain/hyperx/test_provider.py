"""The provider's role: what it registers and does is in order, and what it needs survives it."""

import pytest
import torch

from offchain.crypto.commitments import root_of
from offchain.crypto.settlement import delivery_margin
from offchain.crypto.shard_cipher import encrypt_shard
from offchain.data.imageset import DataError
from offchain.data.shards import packed_part
from offchain.hyperx import actions as do
from offchain.hyperx.features import features_agree
from offchain.hyperx.manifest import fetch_addresses, fetch_key_leaves, fetch_manifest
from offchain.hyperx.provider import Provider
from offchain.hyperx.session import Session
from offchain.roles import Clock
from offchain.storage import cid_from_digest
from tests.offchain.hyperx.session_in_memory import CHAIN_ID, SESSION
from tests.offchain.hyperx.small_market import (
    ANNA,
    BERT,
    COLLECTOR,
    CPU,
    SHARD_SIZE,
    SHARDS,
    START,
    SmallMarket,
    anna,
    digits_of,
    evaluation,
    honest,
    make_terms,
    of_digit,
)

PURSE = "0x" + "77" * 20


@pytest.fixture
def market(tmp_path):
    return honest(tmp_path)


# ---------------------------------------------------------------------- what it registers


@pytest.mark.parametrize("published", [True, False])
def test_what_it_registers_is_in_order(tmp_path, published):
    """Manifest, leaves and addresses are in the datastore and make the registered roots."""
    market = honest(tmp_path, published_addresses=published)
    action = market.act(ANNA)
    store, chain = market.store(COLLECTOR), market.chain
    manifest = fetch_manifest(store, action.manifest, chain.terms)
    assert len(fetch_key_leaves(store, manifest, action.key_root)) == SHARDS
    party = chain.session().party(ANNA)
    if published:
        addresses = fetch_addresses(store, manifest, party, action.address_root)
        assert all(store.get(cid_from_digest(address)) for address in addresses)
    else:
        assert manifest.addresses is None
        hidden = market.role(ANNA).dataset.addresses
        assert root_of(party.address_leaves(hidden)) == action.address_root
        everything = b"".join(market.network.values())
        assert not any(address in everything for address in hidden)


def test_no_key_is_in_the_datastore_before_the_claim(market):
    market.play(until=2000)
    role = market.role(BERT)
    everything = b"".join(market.network.values())
    assert role.session_key not in everything
    assert not any(key in everything for key in role.dataset.keys)


def test_registering_again_gives_the_same(market):
    """A role killed before its transaction was sent stores and registers nothing new."""
    first = market.role(ANNA).next_action(START)
    stored = set(market.network)
    assert market.role(ANNA, restart=True).next_action(START) == first
    assert set(market.network) == stored


# ---------------------------------------------------------------------- its secrets


def test_the_session_key_is_the_same_after_a_restart(market):
    before = market.role(ANNA).session_key
    assert market.role(ANNA, restart=True).session_key == before
    assert len(before) == 32


def test_no_two_sessions_share_a_secret(market):
    """Nor two providers with one secrets file, nor the same address on two chains: a claim on a
    test network would open a dataset for sale on the main one."""
    terms, other = make_terms(), "0x" + "77" * 20
    store, secrets_file = market.store(ANNA), market.secrets(ANNA)
    keys = {
        Provider(
            who, Session(chain, where, terms), of_digit(4), store, secrets_file, CPU
        ).session_key
        for who in (ANNA, BERT)
        for chain in (1, CHAIN_ID)
        for where in (SESSION, other)
    }
    assert len(keys) == 8


def test_other_data_has_another_key(market):
    """Started again with other data before it is registered, a provider has stored both under one
    address space: the same key twice would show the exclusive or of the plain shards."""
    terms = market.chain.session()
    roles = [anna(market, terms, of_digit(digit)) for digit in (4, 6)]
    stored = [[market.network[cid] for cid in role.dataset.cids] for role in roles]

    def apart(one, other):
        return bytes(a ^ b for a, b in zip(one, other, strict=False))

    for *plain, one, other in zip(*(role.shards for role in roles), *stored, strict=True):
        assert apart(*plain) != apart(one[: len(plain[0])], other[: len(plain[0])])
    # The twin: what one key for both shows.
    keys = roles[0].dataset.keys
    one, other = (encrypt_shard(keys[0], 0, role.shards[0]) for role in roles)
    size = len(roles[0].shards[0])
    assert apart(one[:size], other[:size]) == apart(*(role.shards[0] for role in roles))


@pytest.mark.parametrize("until", ["features", "review"])
def test_it_opens_nothing_of_data_that_it_did_not_register(market, until):
    """Started again with another folder it says so, and loses no deposit by wrong keys."""
    market.act(BERT)
    market.act(COLLECTOR)
    if until == "review":
        market.act(BERT)
        market.chain.now = 2000
        market.act(COLLECTOR)
    market.provider(BERT, 4)
    with pytest.raises(DataError, match=f"digit 4 is not the data that {BERT} registered"):
        market.act(BERT, restart=True)
    market.provider(BERT, 9)
    assert market.act(BERT, restart=True) is not None


# ---------------------------------------------------------------------- its steps


def test_its_features_are_those_of_the_sampled_shards_and_for_the_collector_alone(market):
    market.play(until=1000)
    member = market.chain.session().member(ANNA)
    party = market.chain.session().party(ANNA)
    count = len(member.sample) * SHARD_SIZE
    opened = evaluation().open(market.store(COLLECTOR), party, member.features, count)
    sampled = torch.tensor(member.sample)[:, None] * SHARD_SIZE + torch.arange(SHARD_SIZE)
    order = packed_part(digits_of(4), SHARDS, SHARD_SIZE).subset(sampled.flatten())
    assert torch.equal(opened.labels, order.labels)
    assert features_agree(opened, (evaluation().extract(order.images), order.labels), 1e-6)


def test_it_opens_nothing_before_it_is_asked_and_claims_nothing_before_it_is_chosen(tmp_path):
    """At every height of an honest session and every edge of its windows: a review only while it
    is the candidate, its session key only while it is chosen and its window is open."""
    market = honest(tmp_path)
    market.play()
    full = market.chain.blocks
    for height in range(len(full) + 1):
        market.chain.blocks = full[:height]
        now_session = market.chain.session()
        for now in [0, *(e + d for e in market.edges() for d in (-1, 0, 1))]:
            action = market.role(BERT).next_action(Clock(now, 10**6))
            if isinstance(action, do.SubmitReview | do.ClaimReward):
                assert now_session.candidate == BERT
                assert now < now_session.deadline
                if isinstance(action, do.ClaimReward):
                    assert now < now_session.deadline - delivery_margin(
                        now_session.terms.response_time
                    )
                assert now_session.disclosed == isinstance(action, do.ClaimReward)


def test_a_loser_takes_its_deposit_back_once_and_the_winner_nothing_more(tmp_path):
    market = honest(tmp_path)
    market.play()
    taken = [step.account for step in market.steps if isinstance(step.action, do.ClaimDeposit)]
    assert sorted(taken) == sorted(set(market.seats) - {BERT, COLLECTOR})


def test_a_deposit_goes_to_whom_its_provider_names(tmp_path):
    """An account that cannot receive has another one paid."""
    market = honest(tmp_path)
    market.provider(ANNA, 4, pay_to=PURSE)
    market.play()
    paid = {s.account: s.action.to for s in market.steps if isinstance(s.action, do.ClaimDeposit)}
    assert paid.pop(ANNA) == PURSE
    assert all(account == to for account, to in paid.items())
    assert paid


def test_a_provider_that_never_registered_has_nothing_to_do(tmp_path):
    market = SmallMarket(tmp_path)
    market.provider(ANNA, 4)
    for now in (1000, 2000, 2500, 3000, 10**6):
        assert market.role(ANNA).next_action(Clock(now, 5)) is None
