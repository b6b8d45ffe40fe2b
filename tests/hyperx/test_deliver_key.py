"""deliverKey: the session key for the collector alone, and the reward once nobody disputed it."""

import ape
import pytest

from offchain.crypto.sealing import ORDER
from tests.hyperx.session_driver import SEALED, event_in, open_session
from tests.kit.refusals import refusal, refused
from tests.kit.snapshots import undone

DELIVERED, CLOSED = 3, 4


@pytest.fixture
def reviewed(factory, collector, provider, rival, published):
    """The provider is chosen and has to deliver."""
    driver = open_session(factory, collector, publishedAddresses=published, settlement=SEALED)
    driver.enter(provider, rival)
    driver.set_candidate(provider)
    driver.submit_review(provider)
    driver.set_optimal(provider)
    return driver


def deliver(driver, provider, sender=None, **changes):
    args = driver.delivery_args(provider, **changes)
    return refusal(driver.session.deliverKey, args, sender=sender or provider)


def test_a_delivery_tells_the_collector_the_key_and_pays_nobody_yet(reviewed, provider):
    """The collector reads the key out of the event; until the window ends the money stays."""
    held = reviewed.session.balance
    receipt = reviewed.deliver_key(provider)
    entry = reviewed.entry(provider)
    hidden = not reviewed.terms.publishedAddresses
    assert event_in(receipt, reviewed.session.KeyDelivered) == {
        "provider": provider.address,
        "ephemeralX": entry.delivered.ephemeral_x,
        "sealedKey": entry.delivered.sealed[0],
        "addresses": list(entry.commitment.addresses) if hidden else [],
        "deadline": receipt.timestamp + reviewed.terms.responseTime,
    }
    assert reviewed.received_key(provider) == entry.commitment.session_key
    status = (DELIVERED, True, receipt.timestamp + reviewed.terms.responseTime, provider.address)
    assert tuple(reviewed.session.status()) == status
    assert reviewed.session.balance == held
    assert reviewed.session.owedTo(provider) == reviewed.terms.deposit


def test_delivery_window_edges(reviewed, provider):
    """Until the deadline, not at it."""
    deadline = reviewed.deadline
    reviewed.go_to(deadline - 1)
    assert deliver(reviewed, provider) is None
    for now in (deadline, deadline + 1):
        reviewed.go_to(now)
        assert deliver(reviewed, provider) == refused("TooLate", now, deadline)


def test_nobody_delivers_for_another(reviewed, provider, rival, stranger):
    """Whoever copies the calldata from the pool gets nowhere."""
    for sender in (rival, stranger, reviewed.collector):
        outcome = deliver(reviewed, provider, sender=sender)
        assert outcome == refused("NotCandidate", sender, provider)


def test_a_delivery_is_final(reviewed, provider):
    """Neither a second key nor, in its place, the public claim."""
    reviewed.deliver_key(provider)
    assert deliver(reviewed, provider) == refused("WrongState", DELIVERED, 2)


def test_sealed_terms_refuse_the_public_claim(reviewed, provider):
    """A provider cannot publish what the collector paid to have alone, and be paid for it."""
    args = reviewed.claim_args(provider)
    outcome = refusal(reviewed.session.claimReward, *args, sender=provider)
    assert outcome == refused("WrongSettlement", 1, 0)


def test_open_terms_refuse_a_sealed_delivery(factory, collector, provider):
    """There is no window for disputes that it could be measured by."""
    driver = open_session(factory, collector)
    driver.enter(provider)
    driver.set_candidate(provider)
    driver.submit_review(provider)
    driver.set_optimal(provider)
    assert deliver(driver, provider) == refused("WrongSettlement", 0, 1)


def test_a_delivery_opens_every_address_or_none(reviewed, provider):
    """All of them where they are hidden, none where they are published."""
    count = reviewed.terms.shardCount
    needed = 0 if reviewed.terms.publishedAddresses else count
    for given in {0, 1, count - 1, count, count + 1} - {needed}:
        outcome = deliver(reviewed, provider, addresses=[b"\1" * 32] * given)
        assert outcome == refused("WrongKeyCount", given, needed)


@pytest.mark.parametrize("published", [False], indirect=False)
def test_hidden_addresses_are_the_committed_ones(reviewed, provider, published):
    """A false address would leave the collector with a key and nothing to open."""
    addresses = list(reviewed.entry(provider).commitment.addresses)
    lies = [
        {"addresses": [*addresses[:i], b"\1" * 32, *addresses[i + 1 :]]}
        for i in range(len(addresses))
    ]
    lies += [{"addresses": addresses[::-1]}]
    lies += [{name: b"\1" * 32} for name in ("keyRoot", "sampleHash", "reviewHash")]
    for lie in lies:
        assert deliver(reviewed, provider, **lie).name == "CommitmentMismatch", lie


def test_what_is_sealed_is_not_looked_at(reviewed, provider):
    """It cannot be: the contract has no secret. The collector checks, and disputes."""
    for lie in ({"ephemeralX": 5}, {"ephemeralX": ORDER}, {"sealedKey": b"\7" * 32}):
        assert deliver(reviewed, provider, **lie) is None


@pytest.mark.parametrize("settled_by", ["settle", "claimDeposit", "rival", "reclaimEscrow"])
def test_undisputed_the_provider_is_owed_the_reward(
    reviewed, provider, rival, stranger, settled_by
):
    """From the deadline on, by whatever call comes first; to the wei, and nothing is left over."""
    driver = reviewed
    t, session = driver.terms, driver.session
    driver.deliver_key(provider)
    assert list(driver.settle(stranger).events) == []
    deadline = driver.deadline
    driver.go_to(deadline - 1)
    for account in (provider, rival):
        outcome = refusal(session.claimDeposit, account, sender=account)
        assert outcome == refused("NotEnded", deadline - 1, t.expiry)

    driver.go_to(deadline)
    if settled_by == "reclaimEscrow":
        # The collector, to whom nothing is due, cannot take the reward back at the last moment.
        outcome = refusal(session.reclaimEscrow, driver.collector, sender=driver.collector)
        assert outcome == refused("NothingOwed", driver.collector)
        receipt = driver.settle(driver.collector)
    else:
        acts = {
            "settle": lambda: driver.settle(stranger),
            "claimDeposit": lambda: driver.claim_deposit(provider),
            "rival": lambda: driver.claim_deposit(rival),
        }
        before = provider.balance
        receipt = acts[settled_by]()
    assert event_in(receipt, session.DeliveryUndisputed) == {
        "provider": provider.address,
        "reward": t.reward,
    }
    assert event_in(receipt, session.SessionClosed) == {"deal": True}
    assert tuple(session.status()) == (CLOSED, False, 0, provider.address)
    assert session.owedToCollector() == 0
    if settled_by != "claimDeposit":
        assert session.owedTo(provider) == t.reward + t.deposit
        before = provider.balance
        receipt = driver.claim_deposit(provider)
    assert provider.balance == before + t.reward + t.deposit - receipt.total_fees_paid
    if settled_by != "rival":
        driver.claim_deposit(rival)
    assert session.balance == 0


def test_who_delivers_nothing_loses_its_deposit(reviewed, provider, rival, stranger):
    """As a chosen provider that never claims."""
    t, session = reviewed.terms, reviewed.session
    reviewed.go_to(reviewed.deadline)
    receipt = reviewed.settle(stranger)
    assert event_in(receipt, session.OptimalSilent)["forfeited"] == t.deposit
    assert event_in(receipt, session.SessionClosed) == {"deal": False}
    assert session.owedToCollector() == t.reward + t.deposit
    assert session.owedTo(provider) == 0


def test_every_window_ends_by_the_expiry(factory, collector, provider):
    """Each at its last moment, from the last moment for a candidate on."""
    driver = open_session(factory, collector, settlement=SEALED)
    driver.enter(provider)
    steps = (driver.set_candidate, driver.submit_review, driver.set_optimal, driver.deliver_key)
    driver.go_to(driver.terms.submissionEnd)
    end = driver.selection_end
    latest = end - 1
    with undone():
        driver.go_to(end)
        key = driver.entry(provider).one_time_key
        late = refusal(driver.session.setCandidate, provider, key.x, key.y, sender=collector)
        assert late == refused("TooLate", end, end)
    for step in steps:
        ape.chain.pending_timestamp = latest
        step(provider)
        assert driver.deadline == latest + driver.terms.responseTime
        latest = driver.deadline - 1
    assert driver.deadline <= driver.terms.expiry
