"""claimDeposit and reclaimEscrow: when, to whom, how much, and only once."""

from tests.kit.refusals import refusal, refused


def test_deposits_wait_for_the_end(candidate, rival):
    """NotEnded until the expiry of a session that never closed, to the second."""
    end = candidate.terms.expiry
    s = candidate.session
    calls = ((s.claimDeposit, rival), (s.reclaimEscrow, candidate.collector))
    candidate.go_to(end - 1)
    for method, sender in calls:
        assert refusal(method, sender, sender=sender) == refused("NotEnded", end - 1, end)
    for now in (end, end + 1):
        candidate.go_to(now)
        for method, sender in calls:
            assert refusal(method, sender, sender=sender) is None


def test_deposits_return_right_after_the_close(candidate, provider, rival):
    """A closed session is over long before its expiry."""
    candidate.go_to(candidate.deadline)
    candidate.close()
    before = rival.balance
    receipt = candidate.claim_deposit(rival)
    assert rival.balance == before + candidate.terms.deposit - receipt.total_fees_paid
    before = candidate.collector.balance
    receipt = candidate.reclaim_escrow()
    due = candidate.escrow + candidate.penalty
    assert candidate.collector.balance == before + due - receipt.total_fees_paid


def test_each_deposit_leaves_once(chosen, provider, rival, stranger):
    """A second call, and a stranger's, find nothing."""
    chosen.claim_reward(provider)
    chosen.claim_deposit(rival)
    claim = chosen.session.claimDeposit
    for sender in (rival, stranger, chosen.collector):
        assert refusal(claim, sender, sender=sender) == refused("NotProvider", sender)
    assert chosen.session.balance == 0


def test_the_escrow_returns_once_and_to_the_collector(session, provider):
    """A second call finds nothing, a provider is not the collector."""
    session.register(provider)
    session.close()
    reclaim = session.session.reclaimEscrow
    outcome = refused("NotCollector", provider, session.collector)
    assert refusal(reclaim, provider, sender=provider) == outcome
    session.reclaim_escrow()
    outcome = refused("NothingOwed", session.collector)
    assert refusal(reclaim, session.collector, sender=session.collector) == outcome
    assert session.session.balance == session.terms.deposit


def test_after_a_deal_nothing_returns_to_the_collector(chosen, provider):
    """The reward is spent and nobody forfeited anything."""
    chosen.claim_reward(provider)
    outcome = refusal(chosen.session.reclaimEscrow, chosen.collector, sender=chosen.collector)
    assert outcome == refused("NothingOwed", chosen.collector)


def test_a_session_without_providers_returns_everything(session):
    """At the expiry, without a close."""
    session.go_to(session.terms.expiry)
    session.reclaim_escrow()
    assert session.session.balance == 0


def test_payouts_go_where_their_owner_says(session, provider, stranger):
    """To another account; to nobody is refused. Whom it is owed to is the caller alone."""
    session.register(provider)
    session.close()
    s, collector = session.session, session.collector
    nobody = "0x" + "00" * 20
    for method, sender in ((s.claimDeposit, provider), (s.reclaimEscrow, collector)):
        assert refusal(method, nobody, sender=sender) == refused("NoReceiver")
    assert refusal(s.claimDeposit, provider, sender=stranger) == refused("NotProvider", stranger)
    before = stranger.balance
    s.claimDeposit(stranger, sender=provider)
    s.reclaimEscrow(stranger, sender=collector)
    assert stranger.balance - before == session.terms.deposit + session.escrow
    assert s.balance == 0
