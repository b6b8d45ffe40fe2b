"""The provider's role: it locks no deposit in vain, and what it needs survives it."""

from dataclasses import replace

import pytest
import torch

from offchain.crypto.commitments import root_of
from offchain.crypto.settlement import delivery_margin
from offchain.crypto.shard_cipher import encrypt_shard
from offchain.data.imageset import DataError
from offchain.data.shards import packed_part
from offchain.hyperx import actions as do
from offchain.hyperx import events as ev
from offchain.hyperx.extractor import ExtractorError
from offchain.hyperx.features import FeatureError, features_agree
from offchain.hyperx.manifest import fetch_addresses, fetch_key_leaves, fetch_manifest
from offchain.hyperx.provider import Provider
from offchain.hyperx.session import Session
from offchain.models.canonical import DocumentError
from offchain.models.preprocessing import Preprocessing
from offchain.policy import Limit, Policy, TermsRefused
from offchain.roles import Clock
from offchain.storage import DatastoreError, cid_from_digest, digest_of
from offchain.task import ClassNames, Least, TaskError
from offchain.task.errors import ClassesUnknown, LicenceRefused, OfferRefused
from tests.offchain.hyperx.session_in_memory import CHAIN_ID, SESSION
from tests.offchain.hyperx.small_market import (
    ANNA,
    BERT,
    COLLECTOR,
    CPU,
    LICENCE,
    SHARD_SIZE,
    SHARDS,
    SmallMarket,
    digits_of,
    evaluation,
    honest,
    make_terms,
    of_digit,
    other_task,
    published,
)

START = Clock(0, 1)
PURSE = "0x" + "77" * 20


def anna(market, session, data=None, policy=None, **more):
    """Anna's role in some session."""
    store, secrets_file = market.store(ANNA), market.secrets(ANNA)
    more = {"extractors": tuple(market.accepted)} | more
    return Provider(ANNA, session, data or of_digit(4), store, secrets_file, CPU, policy, **more)


def session(**changes):
    return Session(CHAIN_ID, SESSION, make_terms(**changes))


@pytest.fixture
def market(tmp_path):
    return honest(tmp_path)


# ---------------------------------------------------------------------- the deposit is safe


def cids():
    """Where the task and what it names lie."""
    return {"task": cid_from_digest(make_terms().task), **published()[0].documents}


def with_document(market, name, content):
    """A session whose task has other `content` for the document `name`."""
    documents = {**published()[0].documents, name: market.store(COLLECTOR).put(content)}
    return session(task=other_task(market, documents=documents))


@pytest.mark.parametrize("document", ["task", "extractor", "preprocessing"])
def test_it_does_not_register_when_a_document_is_missing(market, document):
    del market.network[cids()[document]]
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
    role = anna(market, with_document(market, document, b'{"format":"souk"}'))
    with pytest.raises((ExtractorError, DocumentError)) as caught:
        role.next_action(START)
    assert "\n" not in str(caught.value)


def test_it_does_not_register_when_an_extractors_signature_is_not_its_signers(market):
    document = market.network[cids()["extractor"]]
    forged = document.replace(b'"activation":"none"', b'"activation":"relu"')
    assert forged != document
    with pytest.raises(ExtractorError, match="signature"):
        anna(market, with_document(market, "extractor", forged)).next_action(START)


def test_it_does_not_register_when_preprocessing_and_extractor_do_not_fit(market):
    """Each is in order by itself; together they would strand it after registration."""
    other = with_document(market, "preprocessing", Preprocessing(64).to_bytes())
    with pytest.raises(FeatureError, match=r"\(3, 64, 64\), the extractor takes \(3, 32, 32\)"):
        anna(market, other).next_action(START)


def test_it_does_not_register_when_what_lies_under_the_tasks_digest_is_no_task(market):
    digest = digest_of(market.store(COLLECTOR).put(b'{"format":"souk"}'))
    with pytest.raises(TaskError, match="task has the fields"):
        anna(market, session(task=digest)).next_action(START)


@pytest.mark.parametrize("name", ["extractor", "preprocessing"])
def test_it_does_not_register_for_a_task_without_a_document(market, name):
    kept = {n: cid for n, cid in published()[0].documents.items() if n != name}
    role = anna(market, session(task=other_task(market, documents=kept)))
    with pytest.raises(TaskError, match=f"there is no document '{name}'"):
        role.next_action(START)


TOKEN = "0x" + "Ee" * 20


def test_it_sells_for_no_token_that_its_owner_does_not_take(market):
    """A collector's own token is worth what the collector says."""
    terms = session(token=TOKEN)
    with pytest.raises(TermsRefused, match=f"pay in token {TOKEN}, accepted: the native coin$"):
        anna(market, terms).next_action(START)
    with pytest.raises(TermsRefused, match=f"pay in the native coin, accepted: {TOKEN}$"):
        anna(market, session(), tokens=(TOKEN,)).next_action(START)
    assert market.store(ANNA).pinned == {}
    # The twin: an owner that takes it.
    action = anna(market, terms, tokens=(TOKEN.lower(),)).next_action(START)
    assert isinstance(action, do.Register)


# ------------------------------------------------------------------- what the task asks for

FOUR = SHARDS * SHARD_SIZE
"""All of Anna's samples, which are fours."""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"shape": (3, 0, 0)}, r"shape: 1x28x28, 3x\?x\? is asked for"),
        ({"modality": "text", "shape": ()}, "modality: images, text are asked for"),
        ({"least": Least(samples=FOUR + 1)}, "samples: 36, at least 37 are asked for"),
        ({"least": Least(per_class=FOUR + 1)}, "samples of a class: 4 36, at least 37 are"),
        ({"least": Least(distinct=FOUR + 1)}, "distinct samples: 36, at least 37 are asked for"),
    ],
)
def test_it_does_not_register_without_what_the_task_asks_for(market, changes, reason):
    """Nothing is stored either; the twin that asks for as much as there is is accepted."""
    role = anna(market, session(task=other_task(market, **changes)))
    stored = set(market.network)
    with pytest.raises(OfferRefused, match=f"^not what the task asks for: {reason}"):
        role.next_action(START)
    assert set(market.network) == stored


@pytest.mark.parametrize(
    "changes",
    [{"shape": (0, 28, 0)}, {"least": Least(per_class=FOUR, samples=FOUR, distinct=FOUR)}],
)
def test_it_registers_with_exactly_what_the_task_asks_for(market, changes):
    role = anna(market, session(task=other_task(market, **changes)))
    assert isinstance(role.next_action(START), do.Register)


def test_it_does_not_register_copies_for_distinct_samples(market):
    copies = of_digit(4).subset([0] * FOUR)
    role = anna(market, session(task=other_task(market, least=Least(distinct=2))), copies)
    with pytest.raises(OfferRefused, match="distinct samples: 1, at least 2 are"):
        role.next_action(START)


def test_it_does_not_register_under_another_licence_than_its_owners(market):
    with pytest.raises(LicenceRefused, match=r"asks for 'CC-BY-4\.0', given is CC0-1.0, MIT"):
        anna(market, session(), licences=("CC0-1.0", "MIT")).next_action(START)
    role = anna(market, session(), licences=("MIT", LICENCE))
    assert isinstance(role.next_action(START), do.Register)


def spelled(name):
    """Anna's fours, which she calls by another name."""
    fours = of_digit(4)
    return replace(fours, labels=fours.labels * 0, classes=(name,))


def test_classes_that_the_task_does_not_have_are_refused_by_name(market):
    with pytest.raises(ClassesUnknown, match="does not have: '4 - four'; it has 0, 1, 2"):
        anna(market, session(), spelled("4 - four")).next_action(START)
    assert market.chain.events == []


def test_what_its_owner_calls_otherwise_is_sold_under_the_tasks_name(market):
    """One class out of ten, under another name: the shards have the task's labels."""
    role = anna(market, session(), spelled("4 - four"), names=ClassNames({"4 - four": "4"}))
    assert isinstance(role.next_action(START), do.Register)
    assert role.data.labels.tolist() == [4] * FOUR
    assert role.data.classes == evaluation().classes
    assert list(role.shards) == list(anna(market, session()).shards)


def test_it_does_not_register_when_nothing_can_be_sealed_to_the_collector(market):
    with pytest.raises(TermsRefused, match=r"^terms refused: nothing can be sealed to the key 00"):
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
        ({"burn": Limit(most=499)}, "burn: 500, at most 499"),
        ({"reward": Limit(least=1001)}, "reward: 1000, at least 1001"),
        ({"compensation": Limit(least=251)}, "compensation: 250, at least 251"),
        ({"deposit": Limit(most=599)}, "deposit: 600, at most 599"),
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
