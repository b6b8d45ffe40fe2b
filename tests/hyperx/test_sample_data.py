"""sampleData with the collector's own choice, and submitFeatures after it."""

import pytest

from offchain.crypto import bitmap as bitmaps
from offchain.crypto import commitments as cm
from tests.hyperx.session_driver import event_in, open_session
from tests.kit.refusals import refusal, refused

FEATURES = b"\7" * 32


def sample_refusal(driver, provider, bitmap, sender=None):
    sample = driver.session.sampleData
    return refusal(sample, provider, bitmap, sender=sender or driver.collector)


def test_a_sample_is_folded_into_the_commitment(session, provider):
    """Whoever opens the review later can only open what was sampled."""
    session.register(provider)
    receipt = session.sample(provider, [0, 6])
    assert event_in(receipt, session.session.Sampled) == {
        "provider": provider.address,
        "bitmap": [0b1000001],
    }
    commitment = session.entry(provider).commitment
    roots = cm.roots_hash(commitment.key_root, commitment.address_root)
    flags, _, stored = session.session.profileOf(provider)
    assert flags == 0b011
    assert stored == cm.fold(roots, bitmaps.bitmap_hash([0b1000001]))


def test_only_the_collector_samples(session, provider, stranger):
    """Neither the provider itself nor a stranger chooses."""
    session.register(provider)
    for sender in (provider, stranger):
        outcome = sample_refusal(session, provider, [1], sender)
        assert outcome == refused("NotCollector", sender, session.collector)


def test_only_a_provider_is_sampled_and_only_once(session, provider, stranger):
    """A second sample would disclose more than the terms allow."""
    assert sample_refusal(session, stranger, [1]) == refused("NotProvider", stranger)
    session.register(provider)
    session.sample(provider, [0])
    for bitmap in ([1], [2]):
        assert sample_refusal(session, provider, bitmap) == refused("AlreadySampled", provider)


@pytest.mark.parametrize("count", [7, 256, 257, 300])
def test_sample_size_and_bits_are_bounded(factory, collector, provider, count):
    """One to the limit, inside the dataset, in exactly as many words as it needs."""
    driver = open_session(factory, collector, shardCount=count, sampleBps=3_000)
    driver.register(provider)
    limit = driver.sample_limit
    words = -(-count // 256)

    def attempt(indices):
        return sample_refusal(driver, provider, bitmaps.to_bitmap(indices, count))

    assert sample_refusal(driver, provider, []) == refused("BitmapLength", 0, words)
    assert attempt([]) == refused("SampleSizeOutOfRange", 0, limit)
    assert attempt([count - 1]) is None
    assert attempt(range(count - limit, count)) is None
    assert attempt(range(limit + 1)) == refused("SampleSizeOutOfRange", limit + 1, limit)
    assert attempt(range(count)) == refused("SampleSizeOutOfRange", count, limit)
    assert sample_refusal(driver, provider, [1] * (words + 1)) == refused(
        "BitmapLength", words + 1, words
    )
    if count % 256:
        beyond = [0] * (words - 1) + [1 << count % 256]
        assert sample_refusal(driver, provider, beyond) == refused("BitOutOfRange", count)


def test_sampling_ends_ten_minutes_before_submission(session, provider, rival):
    """Each is open one second before its end and shut at it and after; whoever is sampled has the
    shortest window to submit."""
    session.register(provider)
    session.register(rival)
    session.sample(rival)
    end = session.terms.submissionEnd
    last = end - 600

    def attempts():
        return (
            sample_refusal(session, provider, [1]),
            refusal(session.session.requestDraw, provider, FEATURES, sender=session.collector),
            refusal(session.session.submitFeatures, FEATURES, sender=rival),
        )

    session.go_to(last - 1)
    assert attempts() == (None, None, None)
    for now in (last, last + 1, end - 1):
        session.go_to(now)
        assert attempts() == (*(refused("TooLate", now, last),) * 2, None)
    session.go_to(end)
    assert attempts()[2] == refused("TooLate", end, end)


def test_features_follow_a_sample_and_come_once(session, provider, stranger):
    """A provider submits after it was sampled, and cannot change its mind."""
    submit = session.session.submitFeatures
    assert refusal(submit, FEATURES, sender=stranger) == refused("NotProvider", stranger)
    session.register(provider)
    assert refusal(submit, FEATURES, sender=provider) == refused("NotSampled", provider)
    session.sample(provider)
    receipt = session.submit_features(provider, FEATURES)
    event = event_in(receipt, session.session.FeaturesSubmitted)
    assert event == {"provider": provider.address, "features": FEATURES}
    outcome = refusal(submit, FEATURES, sender=provider)
    assert outcome == refused("FeaturesAlreadySubmitted", provider)
