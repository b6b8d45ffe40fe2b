"""Rubbish under right keys: what every answer is worth to either side, and that no lie pays.

Data is not on the chain: whether it is rubbish only the two of them know. So every answer is open
to an honest and to a lying collector alike, and what must be shown is what each costs.
"""

from __future__ import annotations

import pytest

from tests.hyperx.session_driver import event_in, open_session
from tests.kit.mock_contracts import deploy_token
from tests.kit.refusals import refusal, refused
from tests.kit.snapshots import undone

ANSWERS = ("accept", "refuse", "rubbish", "silence", "accuse")
TERMS = {
    "a deposit above the burn": {},
    "a deposit that the burn takes whole": {"reward": 10**18, "deposit": 6 * 10**17},
    "half the shards": {"sampleBps": 5_000, "shardCount": 8},
    "further reviews": {"furtherReviews": 2},
}


@pytest.fixture(params=TERMS)
def opened(request, factory, collector, provider, rival):
    """A candidate has opened its review, keys and all."""
    driver = open_session(factory, collector, **TERMS[request.param])
    driver.enter(provider, rival)
    driver.set_candidate(provider)
    driver.submit_review(provider)
    return driver


def payoff(driver, provider, rival, answer, claims=True):
    """What candidate and collector gain in the end, fees and data aside, and what was destroyed."""
    session, terms = driver.session, driver.terms
    paid_in = driver.escrow
    with undone():
        if answer == "accept":
            driver.set_optimal(provider)
            if claims:
                driver.claim_reward(provider)
                return terms.reward, session.owedToCollector() - paid_in, 0
            driver.go_to(driver.deadline)
            driver.settle()
        elif answer == "refuse":
            driver.refuse(provider)
        elif answer == "rubbish":
            driver.declare_rubbish(provider)
        elif answer == "silence":
            driver.go_to(driver.deadline)
            driver.settle()
        else:
            shard = driver.entry(provider).sampled[0]
            evidence = driver.evidence_args(provider, shard)
            outcome = refusal(session.proveWrongKey, evidence, sender=driver.collector)
            assert outcome == refused("KeyIsRight", shard)
            return payoff(driver, provider, rival, "silence")
        candidate = session.owedTo(provider) - terms.deposit
        buyer = session.owedToCollector() - paid_in
        assert session.owedTo(rival) == terms.deposit
        owed = session.owedTo(rival) + session.owedTo(provider) + session.owedToCollector()
        return candidate, buyer, session.balance - owed


def test_nobody_gains_by_a_lie(opened, provider, rival):
    """All answers, side by side, for good data and for rubbish.

    The candidate that sold rubbish loses by the third answer what it gains by the second. The
    collector that calls good data rubbish loses more than by any other answer, and destroys at
    least what it takes: so a false declaration gains nobody anything, and an honest candidate
    loses no more than another destroyed of its own.
    """
    compensation, deposit = opened.compensation, opened.terms.deposit
    burn = opened.burn
    table = {answer: payoff(opened, provider, rival, answer) for answer in ANSWERS}
    reward = opened.terms.reward
    assert table == {
        "accept": (reward, -reward, 0),
        "refuse": (compensation, -compensation, 0),
        "rubbish": (-burn, -burn, 2 * burn),
        "silence": (compensation, -compensation, 0),
        "accuse": (compensation, -compensation, 0),
    }
    # Nothing is created: what both gain and what is destroyed cancel.
    assert all(sum(row) == 0 for row in table.values())
    # Whoever can bring it about, the collector alone or both together, loses more by a declaration
    # than by any other answer that buys nothing.
    others = [table[answer] for answer in ("refuse", "silence", "accuse")]
    assert table["rubbish"][1] < min(buyer for _, buyer, _ in others)
    assert sum(table["rubbish"][:2]) < min(seller + buyer for seller, buyer, _ in others)
    # Whoever loses without a fault of its own: another destroyed at least as much of its own.
    assert -table["rubbish"][1] >= -table["rubbish"][0] > 0
    # Rubbish that is always found out breaks even where a third of the collectors declares it.
    assert 2 * table["refuse"][0] + table["rubbish"][0] == 0
    # A chosen provider that never claims, as rubbish might not, loses its deposit to the collector.
    assert payoff(opened, provider, rival, "accept", claims=False) == (-deposit, deposit, 0)


def test_a_declaration_counts_as_a_review_and_the_session_goes_on(
    factory, collector, provider, rival, stranger
):
    """With further reviews it is pending again and still worth the whole reward; else closed."""
    driver = open_session(factory, collector, furtherReviews=1)
    driver.enter(provider, rival)
    driver.set_candidate(provider)
    declare = driver.session.declareRubbish
    assert refusal(declare, provider, sender=collector) == refused("ReviewMissing", provider)
    driver.submit_review(provider)
    assert refusal(declare, rival, sender=collector) == refused("NotCandidate", rival, provider)
    outcome = refused("NotCollector", provider, collector)
    assert refusal(declare, provider, sender=provider) == outcome
    with undone():
        end = driver.deadline
        driver.go_to(end)
        assert refusal(declare, provider, sender=collector) == refused("TooLate", end, end)
    event = event_in(driver.declare_rubbish(provider), driver.session.RubbishDeclared)
    assert event == {"provider": provider.address, "burned": driver.burn}
    assert driver.session.status().state == 0
    driver.set_candidate(rival)
    driver.submit_review(rival)
    with undone():
        driver.declare_rubbish(rival)
        assert driver.session.status().state == 4
        assert driver.session.owedToCollector() == driver.escrow - 2 * driver.burn
    driver.set_optimal(rival)
    driver.claim_reward(rival)
    assert driver.session.owedToCollector() == driver.escrow - driver.burn - driver.terms.reward
    if driver.session.owedTo(provider):
        driver.claim_deposit(provider)
    assert driver.session.balance == 2 * driver.burn


def test_a_declaration_needs_no_payment(factory, collector, provider, deployer, mocks):
    """A token that moves nothing, be it to an address that burns, holds up no declaration."""
    token = deploy_token(mocks["PausingToken"], deployer, (collector, provider))
    driver = open_session(factory, collector, token=token)
    driver.enter(provider)
    driver.set_candidate(provider)
    driver.submit_review(provider)
    token.setPaused(True, sender=deployer)
    held = token.balanceOf(driver.session)
    driver.declare_rubbish(provider)
    assert token.balanceOf(driver.session) == held
    owed = driver.session.owedTo(provider) + driver.session.owedToCollector()
    assert held - owed == 2 * driver.burn
