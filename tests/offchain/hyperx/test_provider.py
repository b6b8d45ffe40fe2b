"""The provider's role: it locks no deposit in vain, and what it needs survives it."""

from dataclasses import replace

import pytest
import torch

from offchain.crypto.commitments import root_of
from offchain.crypto.errors import CryptoError
from offchain.crypto.settlement import delivery_margin
from offchain.data.imageset import DataError
from offchain.hyperx import actions as do
from offchain.hyperx import events as ev
from offchain.hyperx.extractor import ExtractorError
from offchain.hyperx.features import FeatureError
from offchain.hyperx.manifest import fetch_addresses, fetch_key_leaves, fetch_manifest
from offchain.hyperx.provider import Provider
from offchain.hyperx.session import Session
from offchain.models.canonical import DocumentError
from offchain.models.preprocessing import Preprocessing
from offchain.policy import Limit, Policy, TermsRefused
from offchain.roles import Clock
from offchain.storage import DatastoreError, cid_from_digest, digest_of
from tests.offchain.hyperx.session_in_memory import CHAIN_ID, SESSION
from tests.offchain.hyperx.small_market import (
    ANNA,
    BERT,
    COLLECTOR,
    CPU,
    SHARD_SIZE,
    SHARDS,
    SmallMarket,
    evaluation,
    honest,
    make_terms,
    of_digit,
)

START = Clock(0, 1)


def anna(market, session, data=None, policy=None):
    """Anna's role in some session."""
    store, secrets_file = market.store(ANNA), market.secrets(ANNA)
    return Provider(ANNA, session, data or of_digit(4), store, secrets_file, CPU, policy)


def session(**changes):
    return Session(CHAIN_ID, SESSION, make_terms(**changes))


@pytest.fixture
def market(tmp_path):
    return honest(tmp_path)


# ---------------------------------------------------------------------- the deposit is safe


@pytest.mark.parametrize("document", ["extractor", "preprocessing"])
def test_it_does_not_register_when_a_document_is_missing(market, document):
    digest = getattr(make_terms(), document)
    del market.network[cid_from_digest(digest)]
    with pytest.raises(DatastoreError, match="is not there"):
        market.act(ANNA)
    assert market.chain.events == []


def test_it_does_not_register_when_the_weights_are_missing(market):
    weights = max(market.network, key=lambda cid: len(market.network[cid]))
    del market.network[weights]
    with pytest.raises(DatastoreError, match="is not there"):
        market.act(ANNA)
    assert market.chain.events == []


@pytest.mark.parametrize("document", ["extractor", "preprocessing"])
def test_it_does_not_register_when_a_document_is_not_what_it_says(market, document):
    """Something else lies under the hash that the terms name: each reader refuses it."""
    rubbish = digest_of(market.store(COLLECTOR).put(b'{"format":"souk"}'))
    role = anna(market, session(**{document: rubbish}))
    with pytest.raises((ExtractorError, DocumentError)) as caught:
        role.next_action(START)
    assert "\n" not in str(caught.value)


def test_it_does_not_register_when_an_extractors_signature_is_not_its_signers(market):
    document = market.network[cid_from_digest(make_terms().extractor)]
    forged = document.replace(b'"activation":"none"', b'"activation":"relu"')
    digest = digest_of(market.store(COLLECTOR).put(forged))
    with pytest.raises(ExtractorError, match="signature"):
        anna(market, session(extractor=digest)).next_action(START)


def test_it_does_not_register_when_preprocessing_and_extractor_do_not_fit(market):
    """Each is in order by itself; together they would strand it after registration."""
    other = Preprocessing(64).to_bytes()
    digest = digest_of(market.store(COLLECTOR).put(other))
    with pytest.raises(FeatureError, match="64 px, the extractor takes 32 px"):
        anna(market, session(preprocessing=digest)).next_action(START)


def test_it_does_not_register_when_nothing_can_be_sealed_to_the_collector(market):
    with pytest.raises(CryptoError, match="nothing can be sealed to the key 0000"):
        anna(market, session(encryption_key=bytes(32))).next_action(START)


@pytest.mark.parametrize("size", [1, SHARDS * SHARD_SIZE - 1])
def test_data_too_small_for_the_terms_is_refused_in_one_line(market, size):
    with pytest.raises(DataError, match=f"ask for 36 samples, digit 4 has {size}$"):
        anna(market, session(), of_digit(4, size))


def test_it_does_not_register_after_registration_has_ended(market):
    market.chain.now = market.chain.terms.registration_end
    assert market.act(ANNA) is None


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"response time": Limit(least=101)}, "response time: 100, at least 101"),
        ({"time locked": Limit(most=2999)}, "time locked: 3000, at most 2999"),
        ({"penalty": Limit(most=29)}, "penalty: 30, at most 29"),
        ({"reward": Limit(least=1001)}, "reward: 1000, at least 1001"),
        ({"compensation": Limit(least=251)}, "compensation: 250, at least 251"),
        ({"deposit": Limit(most=299)}, "deposit: 300, at most 299"),
        ({"sampled share": Limit(most=0.2)}, "sampled share: 0.25, at most 0.2"),
    ],
)
def test_it_registers_under_no_terms_outside_its_owners_limits(market, limit, reason):
    """The reason is named, nothing is stored; once it takes part it does what the terms ask."""
    stored = set(market.network)
    role = anna(market, session(), policy=Policy(limit))
    with pytest.raises(TermsRefused, match=f"^terms refused: {reason} is accepted$"):
        role.next_action(START)
    assert set(market.network) == stored
    joined = session()
    joined.apply(ev.Registered(ANNA, bytes(32), bytes(32), bytes(32)))
    assert anna(market, joined, policy=Policy(limit)).next_action(START) is None
    role.policy = Policy()
    assert isinstance(role.next_action(START), do.Register)


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


# ---------------------------------------------------------------------- its steps


def test_its_features_are_those_of_the_sampled_shards_and_for_the_collector_alone(market):
    market.play(until=1000)
    member = market.chain.session().member(ANNA)
    party = market.chain.session().party(ANNA)
    count = len(member.sample) * SHARD_SIZE
    opened = evaluation().open(market.store(COLLECTOR), party, member.features, count)
    images, labels = market.role(ANNA).sampled_images(member)
    assert torch.equal(opened.labels, labels)
    own = replace(of_digit(4), images=images, labels=labels)
    assert evaluation().compare(opened, own, 1e-6)


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


def test_a_provider_that_never_registered_has_nothing_to_do(tmp_path):
    market = SmallMarket(tmp_path)
    market.provider(ANNA, 4)
    for now in (1000, 2000, 2500, 3000, 10**6):
        assert market.role(ANNA).next_action(Clock(now, 5)) is None
