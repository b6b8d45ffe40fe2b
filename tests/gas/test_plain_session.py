"""The yardstick is honest: it stores all that Figure 3 stores and refuses what Figure 3 refuses."""

from __future__ import annotations

import ape
import pytest
from eth_hash.auto import keccak

SHARDS = 10
SAMPLE = (2, 7)
REWARD = 10**18
DEPOSIT = 10**17
PLAIN = [keccak(f"address {i}".encode()) for i in range(SHARDS)]
HASHED = [keccak(address) for address in PLAIN]
FEATURES, KEY = keccak(b"features"), keccak(b"key")


@pytest.fixture
def session(plain_session, collector, provider):
    """A session with one provider that is registered, sampled and has submitted."""
    expiry = ape.chain.pending_timestamp + 1_000
    terms = (REWARD, DEPOSIT, 2_000, expiry, keccak(b"extractor"))
    session = collector.deploy(plain_session, *terms, value=REWARD)
    session.registration(HASHED, sender=provider, value=DEPOSIT)
    session.sampleData(provider, [HASHED[i] for i in SAMPLE], sender=collector)
    session.submitFeatures(FEATURES, sender=provider)
    return session


def review(session, collector, provider, opened):
    session.setCandidate(provider, sender=collector)
    return session.submitReview(opened, KEY, sender=provider)


def test_it_stores_every_property_of_lines_77_and_78(session, collector, provider):
    sample = [PLAIN[i] for i in SAMPLE]
    review(session, collector, provider, sample)
    session.setOptimal(provider, sender=collector)
    session.claimReward(PLAIN, sender=provider)
    stored = [*map(list, _lists(session, provider))]
    assert stored == [HASHED, [HASHED[i] for i in SAMPLE], PLAIN, sample]
    profile = session.profileOf(provider)
    assert (profile.features, profile.key, profile.deposit) == (FEATURES, KEY, DEPOSIT)


def test_it_pays_out_all_it_holds(session, collector, provider, rival):
    session.registration(HASHED, sender=rival, value=DEPOSIT)
    review(session, collector, provider, [PLAIN[i] for i in SAMPLE])
    session.setOptimal(provider, sender=collector)
    session.claimReward(PLAIN, sender=provider)
    for leaver in (provider, rival):
        session.claimDeposit(sender=leaver)
    assert session.balance == 0
    with _refused(session, 118):
        session.claimDeposit(sender=rival)


def test_it_draws_a_sample_when_the_collector_passes_none(session, collector, rival):
    session.registration(HASHED, sender=rival, value=DEPOSIT)
    session.sampleData(rival, [], sender=collector)
    sample = session.profileOf(rival).hashedSample
    assert len(set(sample)) == len(SAMPLE)
    assert set(sample) <= set(HASHED)


def test_it_refuses_what_the_figure_refuses(session, collector, provider, rival):
    with _refused(session, 82):
        session.registration(HASHED, sender=rival, value=DEPOSIT - 1)
    with _refused(session, 88):
        session.sampleData(provider, HASHED[:2], sender=collector)
    session.registration(HASHED, sender=rival, value=DEPOSIT)
    with _refused(session, 91):
        session.sampleData(rival, HASHED[:3], sender=collector)
    with _refused(session, 104):
        review(session, collector, provider, [PLAIN[i + 1] for i in SAMPLE])
    session.submitReview([PLAIN[i] for i in SAMPLE], KEY, sender=provider)
    session.setOptimal(provider, sender=collector)
    with _refused(session, 112):
        session.claimReward([*PLAIN[:-1], HASHED[0]], sender=provider)
    with _refused(session, 117):
        session.claimDeposit(sender=rival)


def _lists(session, provider):
    profile = session.profileOf(provider)
    return profile.hashedData, profile.hashedSample, profile.plainData, profile.plainSample


def _refused(session, line):
    return ape.reverts(session.AssertionFailed, error_inputs={"line": line})
