"""submitReview: only what was committed, all of it, by the candidate, in time."""

import pytest

from offchain.crypto import commitments as cm
from offchain.crypto.bitmap import from_bitmap, to_bitmap
from tests.hyperx.session_driver import event_in, open_session
from tests.kit.refusals import refusal, refused


@pytest.fixture
def open_review(factory, collector, provider, rival, published):
    """A candidate with 13 shards, 3 of them sampled, that may now open them."""
    driver = open_session(factory, collector, publishedAddresses=published, shardCount=13)
    driver.enter(provider, rival)
    driver.set_candidate(provider)
    return driver


def attempt(driver, provider, sender=None, **changes):
    review = driver.review_args(provider, **changes)
    return refusal(driver.session.submitReview, review, sender=sender or provider)


def is_mismatch(driver, provider, outcome):
    """The refusal names what was committed, and something else that was offered."""
    committed = driver.session.profileOf(provider).commitment
    return outcome.name == "CommitmentMismatch" and outcome.args[0] == committed != outcome.args[1]


def test_an_opened_review_renews_the_deadline(open_review, provider):
    """The event carries all the collector needs to open the samples."""
    receipt = open_review.submit_review(provider)
    entry = open_review.entry(provider)
    deadline = receipt.timestamp + open_review.terms.responseTime
    hidden = not open_review.terms.publishedAddresses
    assert event_in(receipt, open_review.session.ReviewSubmitted) == {
        "provider": provider.address,
        "ephemeralX": entry.sealed.ephemeral_x,
        "sealedKeys": list(entry.sealed.sealed),
        "addresses": [entry.commitment.addresses[i] for i in entry.sampled] if hidden else [],
        "deadline": deadline,
    }
    assert tuple(open_review.session.status()) == (1, True, deadline, provider.address)


def test_review_window_edges(open_review, provider):
    """Until the deadline, not at it."""
    deadline = open_review.deadline
    open_review.go_to(deadline - 1)
    assert attempt(open_review, provider) is None
    for now in (deadline, deadline + 1):
        open_review.go_to(now)
        assert attempt(open_review, provider) == refused("TooLate", now, deadline)


def test_only_the_candidate_opens_and_only_once(open_review, provider, rival, stranger):
    """Another account that replays the candidate's calldata first gets nowhere."""
    for sender in (rival, stranger, open_review.collector):
        outcome = attempt(open_review, provider, sender=sender)
        assert outcome == refused("NotCandidate", sender, provider)
    open_review.submit_review(provider)
    outcome = attempt(open_review, provider)
    assert outcome == refused("ReviewAlreadySubmitted", provider)


def test_the_whole_sample_is_opened(open_review, provider):
    """A key or an address too few or too many is refused."""
    entry = open_review.entry(provider)
    sealed = list(open_review.seal(provider).sealed)
    sampled = len(entry.sampled)
    for keys in (sealed[:-1], [*sealed, sealed[0]], []):
        outcome = attempt(open_review, provider, sealedKeys=keys)
        assert outcome == refused("WrongKeyCount", len(keys), sampled)
    needed = 0 if open_review.terms.publishedAddresses else sampled
    for count in {0, sampled, sampled - 1, sampled + 1} - {needed}:
        outcome = attempt(open_review, provider, addresses=[b"\1" * 32] * count)
        assert outcome == refused("WrongKeyCount", count, needed)


@pytest.mark.parametrize("change", ["another set", "a smaller set"])
def test_no_other_sample_is_opened(open_review, provider, change):
    """A candidate cannot show other shards than those that were sampled."""
    entry = open_review.entry(provider)
    others = [i for i in range(13) if i not in entry.sampled]
    entry.sampled = others[: len(entry.sampled)] if change == "another set" else entry.sampled[:1]
    assert is_mismatch(open_review, provider, attempt(open_review, provider))


def test_roots_and_key_are_those_committed(open_review, provider):
    """One other root or another one-time key does not fit."""
    changes = [{"keyRoot": b"\1" * 32}, {"oneTimeKey": b"\1" * 32}]
    if open_review.terms.publishedAddresses:
        changes.append({"addressRoot": b"\1" * 32})
    for change in changes:
        assert is_mismatch(open_review, provider, attempt(open_review, provider, **change))


def test_bitmap_is_well_formed(open_review, provider):
    """As for sampling: one word, no bit beyond the dataset."""
    outcome = attempt(open_review, provider, bitmap=[1, 0])
    assert outcome == refused("BitmapLength", 2, 1)
    outcome = attempt(open_review, provider, bitmap=[1 << 13])
    assert outcome == refused("BitOutOfRange", 13)


@pytest.fixture
def hidden_review(factory, collector, provider):
    """As open_review, hidden addresses only."""
    driver = open_session(factory, collector, shardCount=13)
    driver.register(provider)
    driver.sample(provider, [1, 4, 5])
    driver.submit_features(provider)
    driver.set_candidate(provider)
    return driver


def test_every_address_and_sibling_counts(hidden_review, provider):
    """Changing one word of addresses or proof, or swapping two, is a mismatch."""
    entry = hidden_review.entry(provider)
    addresses = [entry.commitment.addresses[i] for i in entry.sampled]
    proof = cm.multiproof(entry.commitment.address_leaves, entry.sampled)
    lies = [{"addresses": _changed(addresses, k)} for k in range(len(addresses))]
    lies += [{"proof": _changed(proof, k)} for k in range(len(proof))]
    lies.append({"addresses": [addresses[1], addresses[0], addresses[2]]})
    for lie in lies:
        assert is_mismatch(hidden_review, provider, attempt(hidden_review, provider, **lie))


def test_the_proof_has_exactly_the_missing_siblings(hidden_review, provider):
    """A proof that is cut or padded is refused by its length."""
    entry = hidden_review.entry(provider)
    proof = cm.multiproof(entry.commitment.address_leaves, entry.sampled)
    used = len(proof)
    for wrong in (proof[:-1], [*proof, b"\1" * 32], []):
        outcome = attempt(hidden_review, provider, proof=wrong)
        assert outcome == refused("ProofLength", len(wrong), used)


@pytest.mark.parametrize("count", [2, 3, 4, 5, 31, 257])
def test_trees_of_every_shape_are_opened(factory, collector, provider, count):
    """Odd levels, full levels, more than one bitmap word; first and last shard sampled."""
    driver = open_session(factory, collector, shardCount=count, sampleBps=5_000)
    driver.register(provider)
    indices = [count - 1] if driver.sample_limit == 1 else [0, count - 1][: driver.sample_limit]
    driver.sample(provider, indices)
    driver.submit_features(provider)
    driver.set_candidate(provider)
    assert attempt(driver, provider) is None
    bitmap = to_bitmap(indices, count)
    assert from_bitmap(bitmap) == indices


def _changed(words, k):
    return [bytes(w[:-1]) + bytes([w[-1] ^ 1]) if i == k else w for i, w in enumerate(words)]
