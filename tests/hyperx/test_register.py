"""register: who may join, until when, and at what price."""

import pytest

from offchain.crypto import commitments as cm
from tests.hyperx.session_driver import event_in
from tests.kit.refusals import refusal, refused

ROOTS = (b"\1" * 32, b"\2" * 32, b"\3" * 32)


def test_registration_locks_the_deposit_and_commits_to_both_roots(session, provider):
    """The commitment is the Python twin's, the event carries what it stands for."""
    receipt = session.register(provider)
    commitment = session.entry(provider).commitment
    flags, draw_block, stored = session.session.profileOf(provider)
    assert (flags, draw_block) == (1, 0)
    assert stored == cm.roots_hash(commitment.key_root, commitment.address_root)
    assert event_in(receipt, session.session.Registered) == {
        "provider": provider.address,
        "keyRoot": commitment.key_root,
        "addressRoot": commitment.address_root,
        "manifest": commitment.manifest,
    }
    assert session.session.balance == session.escrow + session.terms.deposit
    assert session.session.owedTo(provider) == session.terms.deposit


def test_registration_ends_on_the_second(session, provider):
    """Open one second before registrationEnd, shut at it and after."""
    end, deposit = session.terms.registrationEnd, session.terms.deposit

    def attempt():
        return refusal(session.session.register, *ROOTS, sender=provider, value=deposit)

    session.go_to(end - 1)
    assert attempt() is None
    for now in (end, end + 1):
        session.go_to(now)
        assert attempt() == refused("TooLate", now, end)


def test_nobody_registers_twice(session, provider):
    """Not even with the very same roots."""
    session.register(provider)
    outcome = refusal(
        session.session.register, *ROOTS, sender=provider, value=session.terms.deposit
    )
    assert outcome == refused("AlreadyRegistered", provider)


@pytest.mark.parametrize("extra", [-1, 1])
def test_the_deposit_is_paid_to_the_wei(session, provider, extra):
    """A wei too little or too much is refused."""
    due = session.terms.deposit
    outcome = refusal(session.session.register, *ROOTS, sender=provider, value=due + extra)
    assert outcome == refused("WrongPayment", due + extra, due)


def test_the_collector_may_offer_its_own_dataset(session, collector):
    """Nothing is gained by it, so nothing forbids it; the books keep both roles apart."""
    session.register(collector)
    assert session.session.owedTo(collector) == session.terms.deposit
    assert session.session.owedToCollector() == session.escrow
