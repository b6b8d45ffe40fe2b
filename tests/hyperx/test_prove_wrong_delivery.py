"""proveWrongDelivery: every wrong session key costs the deposit, no right one can be disputed."""

import pytest
from eth_hash.auto import keccak

from offchain.crypto import commitments as cm
from offchain.crypto import sealing
from tests.hyperx.session_driver import SEALED, event_in, open_session
from tests.kit.refusals import refusal, refused

SHARDS = 13
GARBAGE = b"\7" * 32
SMALL_SECRET = 7
"""Of a point with even y; it has a second form in a word, beyond the order."""


@pytest.fixture
def driver(factory, collector, provider, rival, published):
    """A provider of 13 shards that is chosen and has to deliver."""
    driver = open_session(
        factory, collector, shardCount=SHARDS, settlement=SEALED, publishedAddresses=published
    )
    driver.enter(rival, provider)
    driver.entry(provider).one_time_secret = SMALL_SECRET
    driver.set_candidate(provider)
    driver.submit_review(provider)
    driver.set_optimal(provider)
    return driver


def another_key(driver, provider):
    driver.seal_session_key(provider, GARBAGE)


def one_bit(driver, provider):
    key = driver.entry(provider).commitment.session_key
    driver.seal_session_key(provider, bytes([key[0] ^ 1]) + key[1:])


def a_shard_key(driver, provider):
    driver.seal_session_key(provider, driver.entry(provider).commitment.keys[0])


def to_another_one_time_key(driver, provider):
    entry = driver.entry(provider)
    mine = entry.one_time_secret
    entry.one_time_secret = 999
    driver.seal_session_key(provider)
    entry.one_time_secret = mine


def under_the_pad_of_a_shard(driver, provider):
    entry = driver.entry(provider)
    entry.delivered = sealing.seal_keys(entry.one_time_key, {0: entry.commitment.session_key})


def no_point(x):
    def lie(driver, provider):
        sealed = driver.seal_session_key(provider)
        driver.entry(provider).delivered = sealing.SealedKeys(x, sealed.sealed)

    return lie


LIES = {
    "another key": another_key,
    "one bit of the key": one_bit,
    "the key of a shard": a_shard_key,
    "sealed to another one-time key": to_another_one_time_key,
    "under the pad of a shard": under_the_pad_of_a_shard,
    "x of no curve point": no_point(5),
    "x of zero": no_point(0),
    "x at the group order": no_point(sealing.ORDER),
    "x beyond the field": no_point(2**256 - 1),
}


@pytest.mark.parametrize("lie", LIES)
def test_every_lie_costs_the_whole_deposit(driver, provider, rival, lie):
    """Escrow and deposit go to the collector; the liar gets nothing, others lose nothing."""
    LIES[lie](driver, provider)
    driver.deliver_key(provider)
    t, session = driver.terms, driver.session
    receipt = driver.prove_wrong_delivery(provider, 4)
    assert event_in(receipt, session.WrongDeliveryProved) == {
        "provider": provider.address,
        "shard": 4,
        "forfeited": t.deposit,
    }
    assert event_in(receipt, session.SessionClosed) == {"deal": False}
    assert tuple(session.status())[:3] == (4, False, 0)
    outcome = refusal(session.claimDeposit, provider, sender=provider)
    assert outcome == refused("NothingOwed", provider)
    assert session.owedToCollector() == driver.escrow + t.deposit
    before = driver.collector.balance
    receipt = driver.reclaim_escrow()
    due = driver.escrow + t.deposit
    assert driver.collector.balance == before + due - receipt.total_fees_paid
    driver.claim_deposit(rival)
    assert session.balance == 0


def test_where_there_is_no_point_the_delivery_proves_itself(driver, provider):
    """Nothing was sealed that could be opened: of no shard anything has to be shown."""
    no_point(5)(driver, provider)
    driver.deliver_key(provider)
    driver.prove_wrong_delivery(provider, 4, shard=SHARDS, leaf=GARBAGE, path=[])
    assert driver.session.owedTo(provider) == 0


@pytest.mark.parametrize("shard", range(SHARDS))
def test_any_shard_proves_a_wrong_key(driver, provider, shard):
    """Sampled or not: all keys would have to derive from it."""
    another_key(driver, provider)
    driver.deliver_key(provider)
    driver.prove_wrong_delivery(provider, shard)


def test_a_right_key_can_be_disputed_by_no_shard(driver, provider):
    """With either sign of the shared point; and the provider is paid in the end."""
    driver.deliver_key(provider)
    for shard in range(SHARDS):
        y = driver.dispute_args(provider, shard)[10]
        for sign in (y, sealing.FIELD - y):
            assert dispute(driver, provider, shard, sharedY=sign) == refused("KeyIsRight", shard)
    driver.go_to(driver.deadline)
    assert driver.claim_deposit(provider)


def test_one_committed_key_that_does_not_derive_is_enough(factory, collector, provider):
    """A provider that committed a key of its own making for an unsampled shard sold a dataset
    that no session key opens; whatever it delivers is wrong for some shard."""
    driver = open_session(factory, collector, settlement=SEALED, publishedAddresses=True)
    entry = driver.entry(provider)
    count = driver.terms.shardCount
    foreign = [
        *entry.commitment.key_leaves[:-1],
        entry.commitment.party.key_leaf(count - 1, GARBAGE),
    ]
    root = cm.root_of(foreign)
    driver.register(provider, keyRoot=root)
    driver.sample(provider, [0, 1])
    driver.submit_features(provider)
    driver.set_candidate(provider)
    driver.submit_review(provider, keyRoot=root)
    driver.set_optimal(provider)
    driver.deliver_key(provider)
    for shard in range(count - 1):
        path = cm.path(foreign, shard)
        outcome = dispute(driver, provider, shard, keyRoot=root, path=path)
        assert outcome == refused("KeyIsRight", shard)
    last = count - 1
    proof = {"keyRoot": root, "leaf": foreign[last], "path": cm.path(foreign, last)}
    assert dispute(driver, provider, last, **proof) is None


@pytest.fixture
def honest(driver, provider):
    """The right key was delivered."""
    driver.deliver_key(provider)
    return driver


def dispute(driver, provider, shard=4, /, sender=None, **changes):
    evidence = driver.dispute_args(provider, shard, **changes)
    return refusal(driver.session.proveWrongDelivery, evidence, sender=sender or driver.collector)


def test_dispute_window_edges(driver, provider):
    """Until the deadline, not at it; from then on the money is the provider's."""
    another_key(driver, provider)
    driver.deliver_key(provider)
    deadline = driver.deadline
    driver.go_to(deadline - 1)
    assert dispute(driver, provider) is None
    for now in (deadline, deadline + 1):
        driver.go_to(now)
        assert dispute(driver, provider) == refused("TooLate", now, deadline)


def test_only_the_collector_disputes(driver, provider, rival, stranger):
    """Nobody else has the one-time key, and who learns it from the pool gains nothing."""
    another_key(driver, provider)
    driver.deliver_key(provider)
    for sender in (rival, stranger, provider):
        outcome = dispute(driver, provider, sender=sender)
        assert outcome == refused("NotCollector", sender, driver.collector)


def test_evidence_is_what_was_committed(honest, provider):
    """Changing any committed part of the evidence is a mismatch."""
    lies = (
        {"keyRoot": b"\1" * 32},
        {"addressRoot": b"\1" * 32},
        {"sampleHash": b"\1" * 32},
        {"reviewX": 1},
        {"reviewKeysHash": b"\1" * 32},
        {"ephemeralX": 1},
        {"sealedKey": GARBAGE},
        {"oneTimeKey": sealing.point_of(12345).x},
    )
    for lie in lies:
        assert dispute(honest, provider, **lie).name == "CommitmentMismatch", lie


def test_the_secret_is_that_of_the_one_time_key(honest, provider):
    """No other, not its negative, whose point has the same x, and not beyond the order."""
    key, right = honest.entry(provider).one_time_key, honest.dispute_args(provider, 4)[8]
    for secret in (12345, 0, sealing.ORDER, sealing.ORDER - right, sealing.ORDER + right):
        outcome = dispute(honest, provider, oneTimeSecret=secret)
        assert outcome == refused("NotTheSecret", key.x), secret


def test_what_the_review_sealed_is_no_delivery(honest, provider):
    """Its point and one of its words do not pass for the session key."""
    sealed = honest.entry(provider).sealed
    outcome = dispute(honest, provider, ephemeralX=sealed.ephemeral_x, sealedKey=sealed.sealed[0])
    assert outcome.name == "CommitmentMismatch"


def test_a_made_up_shared_point_is_refused(honest, provider):
    """Otherwise any pad, hence any key, could be claimed to have been delivered."""
    other = sealing.point_of(7)
    outcome = dispute(honest, provider, sharedX=other.x, sharedY=other.y)
    assert outcome.name == "SharedPointMismatch"
    assert outcome.args[1] == other.x


def test_no_shard_lies_beyond_the_dataset(honest, provider):
    """From there a walk can end at the root with fewer siblings, so that an inner node would
    pass for a leaf, to which of course no key fits."""
    root = honest.entry(provider).commitment.key_root
    for shard in (SHARDS, 16, 16 + 4, 2**255 + 4, 2**256 - 1):
        for lie in ({}, {"leaf": root, "path": []}):
            outcome = dispute(honest, provider, 4, shard=shard, **lie)
            assert outcome == refused("ShardOutOfRange", shard, SHARDS)


def test_the_leaf_is_the_committed_one_at_that_place(honest, provider):
    """A made-up leaf, another shard's leaf and an internal node are all refused."""
    commitment = honest.entry(provider).commitment
    leaves, root = commitment.key_leaves, commitment.key_root
    for lie in (
        {"leaf": GARBAGE},
        {"leaf": leaves[5], "path": cm.path(leaves, 5)},
        {"leaf": leaves[1], "path": cm.path(leaves, 1)},
    ):
        outcome = dispute(honest, provider, **lie)
        assert outcome.name == "LeafNotInTree", lie
        assert outcome.args[0] == root
    path = cm.path(leaves, 4)
    node = keccak(leaves[4] + leaves[5])
    outcome = dispute(honest, provider, leaf=node, path=path[1:])
    assert outcome == refused("ProofLength", len(path) - 1, len(path))
    padded = [*path, GARBAGE]
    outcome = dispute(honest, provider, path=padded)
    assert outcome == refused("ProofLength", len(padded), len(path))


def test_a_lie_is_proved_once(driver, provider):
    """The deposit is forfeited once."""
    another_key(driver, provider)
    driver.deliver_key(provider)
    driver.prove_wrong_delivery(provider, 4)
    assert dispute(driver, provider) == refused("WrongState", 4, 3)
    assert driver.session.owedToCollector() == driver.escrow + driver.terms.deposit


def test_a_false_dispute_costs_nothing_but_gas(honest, provider):
    """It changes no state, and the deal comes about as if it had not been tried."""
    status, held = tuple(honest.session.status()), honest.session.balance
    assert dispute(honest, provider).name == "KeyIsRight"
    assert (tuple(honest.session.status()), honest.session.balance) == (status, held)
    honest.go_to(honest.deadline)
    before = provider.balance
    receipt = honest.claim_deposit(provider)
    due = honest.terms.reward + honest.terms.deposit
    assert provider.balance == before + due - receipt.total_fees_paid
