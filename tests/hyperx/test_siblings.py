"""What was signed or proved in one session is nothing in its sibling, of the very same terms."""

from __future__ import annotations

import ape
import pytest

from offchain.crypto import commitments as cm
from tests.hyperx.commitment import Commitment
from tests.hyperx.session_driver import OPEN, SEALED, Entry, open_session
from tests.hyperx.weakened import SESSION, WEAKENINGS, weakened
from tests.kit.permits import permitted, signed_permit
from tests.kit.refusals import refusal, refused
from tests.kit.snapshots import undone
from tests.kit.weakened import compile_switched

WEAK = "leaves bind no session"
LIE = b"\7" * 32


def in_an_hour() -> int:
    """Until when a permit holds."""
    return ape.chain.pending_timestamp + 3_600


@pytest.fixture(scope="module")
def careless():
    """A session whose leaves name chain and provider alone."""
    return compile_switched(WEAKENINGS, SESSION, large=True)[WEAK]


@pytest.fixture
def siblings(factory, collector):
    """Makes two sessions of the same terms."""

    def make(**terms):
        now = ape.chain.pending_timestamp
        ends = {"registrationEnd": now + 1_000, "submissionEnd": now + 2_000}
        common = ends | {"expiry": now + 10_000} | terms
        return [open_session(factory, collector, nonce=k, **common) for k in (0, 1)]

    return make


@pytest.mark.parametrize("published", [False, True], ids=["review", "claim"])
def test_what_opens_a_dataset_opens_none_in_the_sibling(
    factory, provider, siblings, careless, published
):
    """The roots are registered in both, and all that opened them in one is offered to the other.

    Hidden addresses stop the review, published ones the claim.
    """

    def attack(session=None):
        first, second = siblings(publishedAddresses=published)
        where = session or first.session.address
        party = cm.Party(ape.chain.chain_id, where, provider.address)
        commitment = Commitment.of(party, first.terms.shardCount)
        for driver in (first, second):
            driver.entries[provider.address] = Entry(provider, commitment, 4242)
            # All that may be opened, so that nothing is drawn besides.
            driver.enter(provider, sample=range(driver.sample_limit))
        for driver in (first, second):
            driver.set_candidate(provider)
        first.submit_review(provider)
        second.entry(provider).sealed = first.entry(provider).sealed
        opened = first.review_args(provider)
        if not published:
            outcome = refusal(second.session.submitReview, opened, sender=provider)
            return outcome.name if outcome else "ok"
        second.session.submitReview(opened, sender=provider)
        for driver in (first, second):
            driver.set_optimal(provider)
        first.claim_reward(provider)
        claim = first.claim_args(provider)
        outcome = refusal(second.session.claimReward, *claim, sender=provider)
        return outcome.name if outcome else "ok"

    with undone():
        assert attack() == "CommitmentMismatch"
    with weakened(factory, careless):
        assert attack("0x" + "00" * 20) == "ok"


def test_evidence_convicts_nobody_in_the_sibling(provider, siblings):
    """One review and one delivery are lies; in the sibling the provider keeps to the rules."""
    for settlement in (OPEN, SEALED):
        guilty, honest = siblings(settlement=settlement)
        for driver in (guilty, honest):
            driver.enter(provider)
        for driver in (guilty, honest):
            driver.set_candidate(provider)
        shard = guilty.entry(provider).sampled[0]
        if settlement == OPEN:
            guilty.seal(provider, dict.fromkeys(guilty.opened(provider), LIE))
        for driver in (guilty, honest):
            driver.submit_review(provider)
            if settlement == SEALED:
                driver.set_optimal(provider)
        if settlement == OPEN:
            evidence, call = guilty.evidence_args(provider, shard), "proveWrongKey"
        else:
            guilty.seal_session_key(provider, LIE)
            guilty.deliver_key(provider)
            honest.deliver_key(provider)
            evidence, call = guilty.dispute_args(provider, shard), "proveWrongDelivery"
        collector = guilty.collector
        assert refusal(getattr(guilty.session, call), evidence, sender=collector) is None
        outcome = refusal(getattr(honest.session, call), evidence, sender=collector)
        assert outcome.name == "CommitmentMismatch"


def test_a_permit_draws_nothing_into_the_sibling(
    factory, collector, provider, siblings, mocks, deployer
):
    """It names the session that it is for; the factory's, the factory."""
    token = deployer.deploy(mocks["PermitToken"])
    for account in (collector, provider):
        token.mint(account, 10**20, sender=deployer)
    first, second = siblings(token=token)
    signed = signed_permit(token, provider, first.session, first.terms.deposit, in_an_hour())
    due, roots = first.terms.deposit, (b"\1" * 32, b"\2" * 32, b"\3" * 32)

    def join(driver):
        calls = permitted(driver.session.register, *roots, token=token, value=due, signed=signed)
        return refusal(driver.session.multicall, calls, sender=provider)

    assert join(first) is None
    outcome = join(second)
    assert outcome == refused("ERC20InsufficientAllowance", second.session, 0, due)
