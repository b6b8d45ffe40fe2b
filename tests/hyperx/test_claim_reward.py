"""claimReward: the whole dataset for the reward, at one stroke, for the chosen provider alone."""

import pytest

from offchain.crypto import commitments as cm
from tests.hyperx.session_driver import event_in, open_session
from tests.kit.refusals import refusal, refused


@pytest.fixture
def reviewed(factory, collector, provider, rival, published):
    """The provider is chosen and may claim."""
    driver = open_session(factory, collector, publishedAddresses=published)
    driver.enter(provider, rival)
    driver.set_candidate(provider)
    driver.submit_review(provider)
    driver.set_optimal(provider)
    return driver


def claim(driver, provider, sender=None, **changes):
    args = driver.claim_args(provider, **changes)
    return refusal(driver.session.claimReward, *args, sender=sender or provider)


def test_a_claim_pays_reward_and_deposit_and_shows_the_key(reviewed, provider):
    """To the wei, fees aside; from the event the collector decrypts everything."""
    before = provider.balance
    receipt = reviewed.claim_reward(provider)
    commitment = reviewed.entry(provider).commitment
    paid = reviewed.terms.reward + reviewed.terms.deposit
    assert provider.balance == before + paid - receipt.total_fees_paid
    event = event_in(receipt, reviewed.session.RewardClaimed)
    hidden = not reviewed.terms.publishedAddresses
    assert event == {
        "provider": provider.address,
        "sessionKey": commitment.session_key,
        "addresses": list(commitment.addresses) if hidden else [],
        "paid": paid,
    }
    keys = commitment.party.shard_keys(event["sessionKey"], reviewed.terms.shardCount)
    assert tuple(keys) == commitment.keys
    assert event_in(receipt, reviewed.session.SessionClosed) == {"deal": True}
    assert tuple(reviewed.session.status()) == (4, False, 0, provider.address)


def test_claim_window_edges(reviewed, provider):
    """Until the deadline, not at it."""
    deadline = reviewed.deadline
    reviewed.go_to(deadline - 1)
    assert claim(reviewed, provider) is None
    for now in (deadline, deadline + 1):
        reviewed.go_to(now)
        assert claim(reviewed, provider) == refused("TooLate", now, deadline)


def test_nobody_claims_for_another(reviewed, provider, rival, stranger):
    """Whoever copies the calldata from the pool and is mined first gets nothing."""
    for sender in (rival, stranger, reviewed.collector):
        outcome = claim(reviewed, provider, sender=sender)
        assert outcome == refused("NotCandidate", sender, provider)


def test_only_the_committed_dataset_is_paid(reviewed, provider):
    """Another key, sample, review, root or address is a mismatch."""
    commitment = reviewed.entry(provider).commitment
    lies = [{"sessionKey": b"\1" * 32}, {"sampleHash": b"\1" * 32}, {"reviewHash": b"\1" * 32}]
    if reviewed.terms.publishedAddresses:
        lies.append({"addressRoot": b"\1" * 32})
    else:
        addresses = list(commitment.addresses)
        lies += [
            {"addresses": [*addresses[:i], b"\1" * 32, *addresses[i + 1 :]]}
            for i in range(len(addresses))
        ]
        lies.append({"addresses": addresses[::-1]})
    committed = reviewed.session.profileOf(provider).commitment
    for lie in lies:
        outcome = claim(reviewed, provider, **lie)
        assert outcome.name == "CommitmentMismatch", lie
        assert outcome.args[0] == committed != outcome.args[1]


def test_a_claim_opens_every_address_or_none(reviewed, provider):
    """All of them where they are hidden, none where they are published."""
    count = reviewed.terms.shardCount
    needed = 0 if reviewed.terms.publishedAddresses else count
    for given in {0, 1, count - 1, count, count + 1} - {needed}:
        outcome = claim(reviewed, provider, addresses=[b"\1" * 32] * given)
        assert outcome == refused("WrongKeyCount", given, needed)


def test_nobody_is_paid_twice(reviewed, provider):
    """Neither by claiming again nor by asking for the deposit as well."""
    reviewed.claim_reward(provider)
    assert claim(reviewed, provider) == refused("WrongState", 4, 2)
    outcome = refusal(reviewed.session.claimDeposit, provider, sender=provider)
    assert outcome == refused("NotProvider", provider)


def test_one_shard_key_that_does_not_derive_spoils_the_claim(factory, collector, provider):
    """A provider that registered a key of its own making for one shard can never be paid.

    The paper checks the addresses alone; here the session key must yield every key.
    """
    driver = open_session(factory, collector)
    driver.register(provider, keyRoot=_root_with_foreign_key(driver, provider))
    driver.sample(provider, [0, 1])
    driver.submit_features(provider)
    driver.set_candidate(provider)
    root = _root_with_foreign_key(driver, provider)
    driver.submit_review(provider, keyRoot=root)
    driver.set_optimal(provider)
    assert claim(driver, provider).name == "CommitmentMismatch"


def _root_with_foreign_key(driver, provider):
    commitment = driver.entry(provider).commitment
    leaves = list(commitment.key_leaves)
    leaves[-1] = commitment.party.key_leaf(len(leaves) - 1, b"\7" * 32)
    return cm.root_of(leaves)
