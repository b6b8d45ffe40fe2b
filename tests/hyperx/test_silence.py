"""Whoever falls silent, at whatever point: who gets what, to the wei, and what goes on."""

import pytest

from tests.hyperx.session_driver import event_in, open_session
from tests.kit.refusals import refusal, refused


def owed(driver, *providers):
    """What the providers and, last, the collector would get if it ended now."""
    return (*map(driver.session.owedTo, providers), driver.session.owedToCollector())


def pay_out(driver, *providers):
    """Everybody calls; returns what each received, fees added back, the collector last."""
    paid = []
    for account, call in [(p, driver.claim_deposit) for p in providers] + [
        (driver.collector, lambda _: driver.reclaim_escrow())
    ]:
        before = account.balance
        receipt = call(account)
        paid.append(account.balance - before + receipt.total_fees_paid)
    assert driver.session.balance == 0
    return tuple(paid)


def test_a_silent_candidate_pays_the_penalty_and_is_replaced(candidate, provider, rival, stranger):
    """Anyone settles; the collector goes on with the next provider and the deal is made."""
    t = candidate.terms
    candidate.go_to(candidate.deadline)
    receipt = candidate.settle(stranger)
    assert event_in(receipt, candidate.session.CandidateSilent) == {
        "provider": provider.address,
        "forfeited": candidate.penalty,
    }
    candidate.set_candidate(rival)
    candidate.submit_review(rival)
    candidate.set_optimal(rival)
    candidate.claim_reward(rival)
    assert pay_out(candidate, provider) == (t.deposit - candidate.penalty, candidate.penalty)


def test_replacing_a_silent_candidate_settles_it(candidate, provider, rival):
    """One call of the collector does both."""
    candidate.go_to(candidate.deadline)
    receipt = candidate.set_candidate(rival)
    assert event_in(receipt, candidate.session.CandidateSilent)["provider"] == provider.address
    assert event_in(receipt, candidate.session.CandidateSet)["provider"] == rival.address
    assert candidate.session.status().candidate == rival.address


def test_every_candidate_silent(candidate, provider, rival):
    """Each pays its penalty; the reward goes home."""
    t = candidate.terms
    candidate.go_to(candidate.deadline)
    candidate.set_candidate(rival)
    candidate.go_to(candidate.deadline)
    candidate.close()
    left = t.deposit - candidate.penalty
    assert pay_out(candidate, provider, rival) == (
        left,
        left,
        t.reward + 2 * candidate.penalty,
    )


def test_whole_deposit_as_penalty_leaves_nothing_to_claim(factory, collector, provider):
    """A penalty of 100 % takes everything, and the claim says so."""
    driver = open_session(factory, collector, reward=10**18, deposit=10**18 // 2, penaltyBps=10_000)
    driver.enter(provider)
    driver.set_candidate(provider)
    driver.go_to(driver.deadline)
    driver.close()
    outcome = refusal(driver.session.claimDeposit, provider, sender=provider)
    assert outcome == refused("NothingOwed", provider)
    assert pay_out(driver) == (driver.terms.reward + driver.terms.deposit,)


@pytest.mark.parametrize("silent", [False, True], ids=["refuses", "silent"])
def test_the_collector_pays_for_samples_it_saw(disclosed, provider, rival, stranger, silent):
    """Refusing and keeping silent cost the same; without further reviews the session closes."""
    t = disclosed.terms
    if silent:
        disclosed.go_to(disclosed.deadline)
        receipt = disclosed.settle(stranger)
    else:
        receipt = disclosed.refuse(provider)
    assert event_in(receipt, disclosed.session.ReviewRefused) == {
        "provider": provider.address,
        "compensation": disclosed.compensation,
        "byCollector": not silent,
    }
    assert event_in(receipt, disclosed.session.SessionClosed) == {"deal": False}
    assert pay_out(disclosed, provider, rival) == (
        t.deposit + disclosed.compensation,
        t.deposit,
        t.reward - disclosed.compensation,
    )


@pytest.mark.parametrize("settled_by", ["settle", "claimDeposit", "reclaimEscrow"])
def test_a_silent_winner_loses_its_deposit(chosen, provider, rival, stranger, settled_by):
    """Reward and stake go to the collector; any of the calls that end it settles it."""
    t = chosen.terms
    chosen.go_to(chosen.deadline)
    act = {
        "settle": lambda: chosen.settle(stranger),
        "claimDeposit": lambda: chosen.claim_deposit(rival),
        "reclaimEscrow": chosen.reclaim_escrow,
    }[settled_by]
    receipt = act()
    assert event_in(receipt, chosen.session.OptimalSilent) == {
        "provider": provider.address,
        "forfeited": t.deposit,
    }
    paid = {"settle": 0, "claimDeposit": t.deposit, "reclaimEscrow": t.reward + t.deposit}
    assert chosen.session.balance == t.reward + 2 * t.deposit - paid[settled_by]
    outcome = refusal(chosen.session.claimDeposit, provider, sender=provider)
    assert outcome == refused("NothingOwed", provider)


def test_a_collector_that_never_evaluates(session, provider, rival):
    """Everybody is whole at the expiry; nobody needed the collector."""
    session.enter(provider, rival)
    session.go_to(session.terms.expiry)
    deposit = session.terms.deposit
    assert pay_out(session, provider, rival) == (deposit, deposit, session.terms.reward)


def test_settling_without_a_lapse_does_nothing(disclosed, stranger):
    """No event, no change, whoever calls and however often."""
    before = tuple(disclosed.session.status())
    receipt = disclosed.settle(stranger)
    assert list(receipt.events) == []
    assert tuple(disclosed.session.status()) == before


def test_settling_twice_counts_once(candidate, provider, stranger):
    """A lapse has its consequence once."""
    candidate.go_to(candidate.deadline)
    candidate.settle(stranger)
    once = owed(candidate, provider)
    assert list(candidate.settle(stranger).events) == []
    assert owed(candidate, provider) == once


@pytest.mark.parametrize("further", [1, 2])
def test_further_reviews_are_each_compensated(factory, collector, accounts, further):
    """One review more than refusals allowed; each refusal by another way; the last one closes."""
    providers = accounts[2 : 4 + further]
    driver = open_session(factory, collector, furtherReviews=further)
    driver.enter(*providers)
    t, compensation = driver.terms, driver.compensation
    assert driver.session.balance == t.reward + further * compensation + len(providers) * t.deposit
    for turn, provider in enumerate(providers[: 1 + further]):
        driver.set_candidate(provider)
        driver.submit_review(provider)
        if turn % 2:
            driver.refuse(provider)
        else:
            driver.go_to(driver.deadline)
            driver.settle()
        assert driver.session.status().state == (4 if turn == further else 0)
    seen = [t.deposit + compensation] * (1 + further)
    unseen = [t.deposit] * (len(providers) - len(seen))
    assert pay_out(driver, *providers) == (*seen, *unseen, t.reward - compensation)


def test_a_deal_after_a_refusal(factory, collector, provider, rival):
    """The refused provider is compensated from the escrow, the chosen one has the whole reward."""
    driver = open_session(factory, collector, furtherReviews=2)
    driver.enter(provider, rival)
    driver.set_candidate(provider)
    driver.submit_review(provider)
    driver.refuse(provider)
    driver.set_candidate(rival)
    driver.submit_review(rival)
    driver.set_optimal(rival)
    before = rival.balance
    receipt = driver.claim_reward(rival)
    reward, deposit = driver.terms.reward, driver.terms.deposit
    assert rival.balance - before + receipt.total_fees_paid == reward + deposit
    # One of the two further compensations was not needed.
    expected = (deposit + driver.compensation, driver.compensation)
    assert pay_out(driver, provider) == expected


def test_proofs_of_wrong_keys_use_up_no_review(factory, collector, provider, rival):
    """A liar is no review: without further reviews the next candidate still gets its turn."""
    driver = open_session(factory, collector, furtherReviews=0)
    driver.enter(provider, rival)
    driver.set_candidate(provider)
    shards = driver.entry(provider).sampled
    driver.seal(provider, dict.fromkeys(shards, b"\x07" * 32))
    driver.submit_review(provider)
    driver.prove_wrong_key(provider, shards[0])
    driver.set_candidate(rival)
    driver.submit_review(rival)
    driver.refuse(rival)
    deposit, reward = driver.terms.deposit, driver.terms.reward
    expected = (deposit + driver.compensation, reward + deposit - driver.compensation)
    assert pay_out(driver, rival) == expected
