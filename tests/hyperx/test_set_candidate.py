"""setCandidate and close: when the collector may choose, whom, and with which key."""

import pytest

from offchain.crypto import commitments as cm
from offchain.crypto import sealing
from offchain.crypto.bitmap import bitmap_hash, to_bitmap
from tests.hyperx.session_driver import event_in
from tests.kit.refusals import refusal, refused

KEY = sealing.point_of(12345)


@pytest.fixture
def entered(session, provider, rival):
    """Two providers have submitted features."""
    session.enter(provider, rival)
    return session


def pick(driver, provider, key=KEY, sender=None):
    choose = driver.session.setCandidate
    return refusal(choose, provider, key.x, key.y, sender=sender or driver.collector)


def test_a_candidate_starts_a_window_and_binds_the_one_time_key(entered, provider):
    """Deadline and key are in the event; the key is folded into the commitment."""
    receipt = entered.set_candidate(provider)
    deadline = receipt.timestamp + entered.terms.responseTime
    key = entered.entry(provider).one_time_key
    assert event_in(receipt, entered.session.CandidateSet) == {
        "provider": provider.address,
        "oneTimeKey": key.x,
        "deadline": deadline,
    }
    assert tuple(entered.session.status()) == (1, False, deadline, provider.address)
    entry = entered.entry(provider)
    roots = cm.roots_hash(entry.commitment.key_root, entry.commitment.address_root)
    sampled = to_bitmap(entry.sampled, entered.terms.shardCount)
    sample = cm.fold(roots, bitmap_hash(sampled))
    flags, _, stored = entered.session.profileOf(provider)
    assert flags == 0b1111
    assert stored == cm.fold(sample, cm.word(key.x))


def test_selection_window_edges(entered, provider, stranger):
    """From submissionEnd until three responses before the expiry, both to the second."""
    start, end = entered.terms.submissionEnd, entered.selection_end
    entered.go_to(start - 1)
    assert pick(entered, provider) == refused("TooEarly", start - 1, start)
    for now in (start, end - 1):
        entered.go_to(now)
        assert pick(entered, provider) is None
    for now in (end, end + 1):
        entered.go_to(now)
        assert pick(entered, provider) == refused("TooLate", now, end)


def test_only_the_collector_picks(entered, provider, stranger):
    """No provider can push itself forward."""
    entered.go_to(entered.terms.submissionEnd)
    for sender in (provider, stranger):
        outcome = pick(entered, provider, sender=sender)
        assert outcome == refused("NotCollector", sender, entered.collector)


def test_only_a_provider_with_features_is_picked(session, provider, rival, newcomer, stranger):
    """Strangers and providers that stopped half-way are refused, each by its own reason."""
    session.register(provider)
    session.register(rival)
    session.sample(rival)
    session.go_to(session.terms.submissionEnd)
    assert pick(session, stranger) == refused("NotProvider", stranger)
    assert pick(session, provider) == refused("FeaturesMissing", provider)
    assert pick(session, rival) == refused("FeaturesMissing", rival)


def test_one_candidate_at_a_time_and_each_once(candidate, provider, rival):
    """Not while a review runs; and who stayed silent once gets no second turn."""
    for other in (provider, rival):
        assert pick(candidate, other) == refused("WrongState", 1, 0)
    candidate.go_to(candidate.deadline)
    assert pick(candidate, provider) == refused("CandidateTwice", provider)
    assert pick(candidate, rival) is None


def small_y_point() -> sealing.Point:
    """A point whose y stays one word when the field's size is added."""
    for y in range(1, 100):
        cube = (y * y - 7) % sealing.FIELD
        x = pow(cube, (sealing.FIELD + 2) // 9, sealing.FIELD)
        if pow(x, 3, sealing.FIELD) == cube:
            return sealing.Point(x, y)
    raise AssertionError("no point with a small y")


SMALL_X, SMALL_Y = sealing.Point.with_even_y(1), small_y_point()


@pytest.mark.parametrize(
    "key",
    [
        sealing.Point(0, 0),
        sealing.Point(KEY.x, KEY.y + 1),
        sealing.Point(SMALL_X.x + sealing.FIELD, SMALL_X.y),
        sealing.Point(SMALL_Y.x, SMALL_Y.y + sealing.FIELD),
        sealing.Point(5, 1),
        sealing.Point(2**256 - 1, 2**256 - 1),
    ],
    ids=["infinity", "wrong y", "x not reduced", "y not reduced", "no such x", "largest words"],
)
def test_the_one_time_key_is_a_point_of_the_curve(entered, provider, key):
    """A provider must never be asked to seal to a key that is no point, written in one way only."""
    entered.go_to(entered.terms.submissionEnd)
    assert pick(entered, provider, key) == refused("KeyNotOnCurve", key.x, key.y)


def test_points_with_small_coordinates_are_points(entered, provider):
    """The refusals above are due to the missing reduction alone."""
    entered.go_to(entered.terms.submissionEnd)
    assert pick(entered, provider, SMALL_X) is None
    assert pick(entered, provider, SMALL_Y) is None


def test_close_waits_for_the_submissions(entered, provider):
    """Providers that paid to take part are heard before the collector may leave."""
    start = entered.terms.submissionEnd
    close = entered.session.close
    entered.go_to(start - 1)
    assert refusal(close, sender=entered.collector) == refused("TooEarly", start - 1, start)
    entered.go_to(start)
    assert refusal(close, sender=provider) == refused("NotCollector", provider, entered.collector)
    receipt = entered.close()
    assert event_in(receipt, entered.session.SessionClosed) == {"deal": False}
    assert refusal(close, sender=entered.collector) == refused("WrongState", 4, 0)
    assert pick(entered, provider) == refused("WrongState", 4, 0)


def test_close_is_not_a_way_out_of_a_review(disclosed, provider):
    """While a review runs it decides; afterwards the session is closed with its compensation."""
    close = disclosed.session.close
    assert refusal(close, sender=disclosed.collector) == refused("WrongState", 1, 0)
    disclosed.go_to(disclosed.deadline)
    assert refusal(close, sender=disclosed.collector) == refused("WrongState", 4, 0)


def test_close_may_follow_a_silent_candidate_at_once(candidate):
    """The lapsed window is settled by the very call that closes."""
    candidate.go_to(candidate.deadline)
    receipt = candidate.close()
    assert event_in(receipt, candidate.session.CandidateSilent)["forfeited"] == candidate.penalty
    assert candidate.session.status().state == 4
