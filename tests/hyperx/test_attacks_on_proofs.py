"""Attacks by what is claimed, committed to and proved: leaves, roots, evidence."""

import pytest

from offchain.crypto import commitments as cm
from offchain.crypto import sealing
from tests.hyperx.commitment import Commitment
from tests.hyperx.session_driver import SEALED, Entry, open_session
from tests.kit.refusals import refusal, refused


def test_a_claim_copied_from_the_pool(factory, collector, provider, stranger, against):
    """A stranger that sends the provider's claim first is paid only by the weak copy."""

    def attack():
        driver = open_session(factory, collector)
        driver.enter(provider)
        driver.set_candidate(provider)
        driver.submit_review(provider)
        driver.set_optimal(provider)
        return refusal(driver.session.claimReward, *driver.claim_args(provider), sender=stranger)

    assert against(attack) == refused("NotCandidate", stranger, provider)
    assert against(attack, "anyone acts for the candidate") is None


def test_someone_elses_root_registered(factory, collector, provider, rival, against):
    """A rival that copies a registration, and later the opened review, can open nothing.

    On the weak copy leaves name nobody, so what the provider disclosed serves the copier too.
    """

    def attack(party=None):
        driver = open_session(factory, collector, furtherReviews=1)
        if party:
            _seat(driver, provider, party)
        driver.register(provider)
        stolen = driver.entry(provider).commitment
        driver.entries[rival.address] = Entry(rival, stolen, 4242)
        driver.register(rival)
        for p in (provider, rival):
            driver.sample(p)
            driver.submit_features(p)
        driver.set_candidate(provider)
        driver.submit_review(provider)
        driver.refuse(provider)
        driver.set_candidate(rival)
        outcome = refusal(driver.session.submitReview, driver.review_args(rival), sender=rival)
        return outcome.name if outcome else "ok"

    # The further shards that it would have to open are others, so that even the proof may not fit.
    assert against(attack) in ("CommitmentMismatch", "ProofLength")
    assert against(lambda: attack(NOBODY), "leaves bind nobody") == "ok"


# What the leaves of the weak copy bind instead of chain, session and provider.
NOBODY = cm.Party(1, "0x" + "00" * 19 + "01", "0x" + "00" * 20)


@pytest.mark.parametrize("foreign", ["chain", "session", "provider"])
def test_leaves_made_for_elsewhere(factory, collector, provider, rival, against, foreign):
    """Addresses committed on another chain, in another session or by another are not accepted."""

    def attack(party=None):
        driver = open_session(factory, collector)
        here = driver.entry(provider).commitment.party
        _seat(
            driver,
            provider,
            party
            or {
                "chain": cm.Party(here.chain_id + 1, here.session, here.provider),
                "session": cm.Party(here.chain_id, factory.address, here.provider),
                "provider": cm.Party(here.chain_id, here.session, rival.address),
            }[foreign],
        )
        # All that may be opened, so that nothing is drawn besides.
        driver.enter(provider, sample=range(driver.sample_limit))
        driver.set_candidate(provider)
        outcome = refusal(
            driver.session.submitReview, driver.review_args(provider), sender=provider
        )
        return outcome.name if outcome else "ok"

    # The further shards that it would have to open are others, so that even the proof may not fit.
    assert against(attack) in ("CommitmentMismatch", "ProofLength")
    assert against(lambda: attack(NOBODY), "leaves bind nobody") == "ok"


def _seat(driver, provider, party):
    commitment = Commitment.of(party, driver.terms.shardCount)
    driver.entries[provider.address] = Entry(provider, commitment, 1234)


def by_secret_one(sealed):
    """Evidence by another secret: one times the provider's point is that point, as all can see."""
    point = sealing.Point.with_even_y(sealed.ephemeral_x)
    return {"oneTimeSecret": 1, "sharedX": point.x, "sharedY": point.y}


OTHER_POINT = {"sharedX": sealing.point_of(7).x, "sharedY": sealing.point_of(7).y}
FALSE_ACCUSATIONS = {
    "believes evidence": ("KeyIsRight", lambda entry: {}),
    "believes leaves": ("LeafNotInTree", lambda entry: {"leaf": b"\7" * 32}),
    "believes shared points": ("SharedPointMismatch", lambda entry: OTHER_POINT),
    "believes any secret": ("NotTheSecret", lambda entry: by_secret_one(entry.sealed)),
}


@pytest.mark.parametrize("weakness", FALSE_ACCUSATIONS)
def test_a_false_accusation(factory, collector, provider, against, weakness):
    """An honest provider keeps its deposit because of exactly the check that is taken out."""
    name, lie = FALSE_ACCUSATIONS[weakness]

    def attack():
        driver = open_session(factory, collector)
        driver.enter(provider)
        driver.set_candidate(provider)
        driver.submit_review(provider)
        entry = driver.entry(provider)
        evidence = driver.evidence_args(provider, entry.sampled[0], **lie(entry))
        outcome = refusal(driver.session.proveWrongKey, evidence, sender=collector)
        return outcome.name if outcome else "ok"

    assert against(attack) == name
    assert against(attack, weakness) == "ok"


FALSE_DISPUTES = {
    "believes evidence": ("KeyIsRight", lambda entry: {}),
    "believes leaves": ("LeafNotInTree", lambda entry: {"leaf": b"\7" * 32}),
    "believes shared points": ("SharedPointMismatch", lambda entry: OTHER_POINT),
    "believes any secret": ("NotTheSecret", lambda entry: by_secret_one(entry.delivered)),
    # On the walk from 8 upwards no node of a tree of 7 has a sibling: the leaf is the root.
    "believes any shard": (
        "ShardOutOfRange",
        lambda entry: {"shard": 8, "leaf": entry.commitment.key_root, "path": []},
    ),
    "forgets what was delivered": ("CommitmentMismatch", lambda entry: {"sealedKey": b"\7" * 32}),
}


@pytest.mark.parametrize("weakness", FALSE_DISPUTES)
def test_a_false_dispute(factory, collector, provider, against, weakness):
    """A provider that delivered the right key is paid because of exactly the check taken out."""
    name, lie = FALSE_DISPUTES[weakness]

    def attack():
        driver = open_session(factory, collector, settlement=SEALED)
        driver.enter(provider)
        driver.set_candidate(provider)
        driver.submit_review(provider)
        driver.set_optimal(provider)
        driver.deliver_key(provider)
        evidence = driver.dispute_args(provider, 0, **lie(driver.entry(provider)))
        outcome = refusal(driver.session.proveWrongDelivery, evidence, sender=collector)
        return outcome.name if outcome else "ok"

    assert against(attack) == name
    assert against(attack, weakness) == "ok"
