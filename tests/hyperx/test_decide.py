"""setOptimal, refuseReview and proveWrongKey: who decides on an opened review, and until when."""

import pytest

from tests.hyperx.session_driver import event_in
from tests.kit.refusals import refusal, refused


def decisions(driver, provider, sender=None):
    """How accepting, refusing and accusing would end now, in this order."""
    shard = driver.entry(provider).sampled[0]
    if driver.entry(provider).sealed is None:
        driver.seal(provider)
    sender = sender or driver.collector
    s = driver.session
    return (
        refusal(s.setOptimal, provider, sender=sender),
        refusal(s.refuseReview, provider, sender=sender),
        refusal(s.proveWrongKey, driver.evidence_args(provider, shard), sender=sender),
    )


@pytest.fixture
def accused(candidate, provider):
    """The opened review holds a wrong key for every shard, so that each decision is possible."""
    shards = candidate.opened(provider)
    candidate.seal(provider, dict.fromkeys(shards, b"\x07" * 32))
    candidate.submit_review(provider)
    return candidate


def test_decision_window_edges(accused, provider):
    """Until the deadline, not at it."""
    deadline = accused.deadline
    accused.go_to(deadline - 1)
    assert decisions(accused, provider) == (None, None, None)
    for now in (deadline, deadline + 1):
        accused.go_to(now)
        assert decisions(accused, provider) == (refused("TooLate", now, deadline),) * 3


def test_only_the_collector_decides(accused, provider, rival, stranger):
    """Neither the candidate nor a rival."""
    for sender in (provider, rival, stranger):
        outcome = refused("NotCollector", sender, accused.collector)
        assert decisions(accused, provider, sender) == (outcome,) * 3


def test_nothing_to_decide_before_the_review(candidate, provider):
    """A candidate that may still open its review cannot be accepted, refused or accused."""
    assert decisions(candidate, provider) == (refused("ReviewMissing", provider),) * 3


def test_the_decision_names_the_candidate(accused, provider, rival):
    """A collector that means another provider is told."""
    s = accused.session
    for method in (s.setOptimal, s.refuseReview):
        outcome = refusal(method, rival, sender=accused.collector)
        assert outcome == refused("NotCandidate", rival, provider)


def test_a_decision_is_final(disclosed, provider):
    """After accepting there is nothing to refuse or to accuse."""
    receipt = disclosed.set_optimal(provider)
    deadline = receipt.timestamp + disclosed.terms.responseTime
    assert event_in(receipt, disclosed.session.OptimalSet) == {
        "provider": provider.address,
        "deadline": deadline,
    }
    assert tuple(disclosed.session.status()) == (2, True, deadline, provider.address)
    assert decisions(disclosed, provider) == (refused("WrongState", 2, 1),) * 3
