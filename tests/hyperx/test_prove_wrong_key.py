"""proveWrongKey: every lie about a key costs the deposit, every false accusation fails by name."""

import pytest
from eth_hash.auto import keccak

from offchain.crypto import commitments as cm
from offchain.crypto import sealing
from tests.hyperx.session_driver import event_in, open_session
from tests.kit.refusals import refusal, refused

SHARDS = 13
SAMPLED = [1, 4, 12]
GARBAGE = b"\7" * 32
SMALL_SECRET = 7
"""Of a point with even y; it has a second form in a word, beyond the order."""


@pytest.fixture
def driver(factory, collector, provider, rival):
    """A candidate with 13 shards of which 1, 4 and 12 are sampled."""
    driver = open_session(factory, collector, shardCount=SHARDS)
    driver.enter(rival)
    driver.register(provider)
    driver.sample(provider, SAMPLED)
    driver.submit_features(provider)
    driver.entry(provider).one_time_secret = SMALL_SECRET
    driver.set_candidate(provider)
    return driver


def right_keys(driver, provider):
    keys = driver.entry(provider).commitment.keys
    return {i: keys[i] for i in SAMPLED}


def seal_garbage(driver, provider):
    driver.seal(provider, right_keys(driver, provider) | {4: GARBAGE})


def seal_keys_of_other_shards(driver, provider):
    keys = driver.entry(provider).commitment.keys
    driver.seal(provider, {1: keys[1], 4: keys[5], 12: keys[0]})


def swap_sealed_words(driver, provider):
    sealed = driver.seal(provider)
    first, second, third = sealed.sealed
    swapped = sealing.SealedKeys(sealed.ephemeral_x, (first, third, second))
    driver.entry(provider).sealed = swapped


def seal_to_another_key(driver, provider):
    other = sealing.point_of(999)
    driver.entry(provider).sealed = sealing.seal_keys(other, right_keys(driver, provider))


def name_no_point(x):
    def lie(driver, provider):
        sealed = driver.seal(provider)
        driver.entry(provider).sealed = sealing.SealedKeys(x, sealed.sealed)

    return lie


LIES = {
    "garbage instead of a key": seal_garbage,
    "keys of other shards": seal_keys_of_other_shards,
    "keys in another order": swap_sealed_words,
    "sealed to another one-time key": seal_to_another_key,
    "x of no curve point": name_no_point(5),
    "x of zero": name_no_point(0),
    "x at the group order": name_no_point(sealing.ORDER),
    "x beyond the field": name_no_point(2**256 - 1),
}


@pytest.mark.parametrize("lie", LIES)
def test_every_lie_costs_the_whole_deposit(driver, provider, rival, lie):
    """The deposit goes to the collector, nothing is compensated, and another may be picked."""
    LIES[lie](driver, provider)
    driver.submit_review(provider)
    deposit = driver.terms.deposit
    receipt = driver.prove_wrong_key(provider, 4)
    assert event_in(receipt, driver.session.WrongKeyProved) == {
        "provider": provider.address,
        "shard": 4,
        "forfeited": deposit,
    }
    assert tuple(driver.session.status())[:3] == (0, False, 0)
    assert driver.session.owedTo(provider) == 0
    assert driver.session.owedToCollector() == driver.escrow + deposit

    driver.set_candidate(rival)
    driver.submit_review(rival)
    driver.set_optimal(rival)
    driver.claim_reward(rival)
    outcome = refusal(driver.session.claimDeposit, provider, sender=provider)
    assert outcome == refused("NothingOwed", provider)
    driver.reclaim_escrow()
    assert driver.session.balance == 0


def test_where_there_is_no_point_the_review_proves_itself(driver, provider):
    """Nothing was sealed that could be opened: of no shard anything has to be shown."""
    name_no_point(5)(driver, provider)
    driver.submit_review(provider)
    driver.prove_wrong_key(provider, 4, shard=SHARDS, leaf=GARBAGE, path=[])
    assert driver.session.owedTo(provider) == 0


@pytest.mark.parametrize("shard", SAMPLED)
def test_an_honest_review_cannot_be_accused(driver, provider, shard):
    """Of no shard, with either sign of the shared point."""
    driver.submit_review(provider)
    y = driver.evidence_args(provider, shard)[8]
    for sign in (y, sealing.FIELD - y):
        evidence = driver.evidence_args(provider, shard, sharedY=sign)
        outcome = refusal(driver.session.proveWrongKey, evidence, sender=driver.collector)
        assert outcome == refused("KeyIsRight", shard)


def test_either_sign_of_the_shared_point_proves(driver, provider):
    """ECDH yields no y, so the collector may offer either."""
    seal_garbage(driver, provider)
    driver.submit_review(provider)
    y = driver.evidence_args(provider, 4)[8]
    for sign in (y, sealing.FIELD - y):
        evidence = driver.evidence_args(provider, 4, sharedY=sign)
        assert refusal(driver.session.proveWrongKey, evidence, sender=driver.collector) is None


@pytest.fixture
def honest(driver, provider):
    """The candidate opened its review as it should."""
    driver.submit_review(provider)
    return driver


def accuse(driver, provider, shard=4, /, **changes):
    evidence = driver.evidence_args(provider, shard, **changes)
    return refusal(driver.session.proveWrongKey, evidence, sender=driver.collector)


def test_evidence_is_what_was_committed(honest, provider):
    """Changing any committed part of the evidence is a mismatch."""
    sealed = list(honest.entry(provider).sealed.sealed)
    lies = (
        {"keyRoot": b"\1" * 32},
        {"addressRoot": b"\1" * 32},
        {"bitmap": [1 << 1 | 1 << 5 | 1 << 12]},
        {"bitmap": [honest.evidence_args(provider, 4)[2][0], 0]},
        {"ephemeralX": 1},
        {"sealedKeys": [sealed[0], GARBAGE, sealed[2]]},
        {"sealedKeys": sealed[:2]},
        {"oneTimeKey": sealing.point_of(12345).x},
    )
    for lie in lies:
        assert accuse(honest, provider, **lie).name == "CommitmentMismatch", lie


def test_the_secret_is_that_of_the_one_time_key(honest, provider):
    """No other, not its negative, whose point has the same x, and not beyond the order."""
    key, right = honest.entry(provider).one_time_key, honest.evidence_args(provider, 4)[6]
    for secret in (12345, 0, sealing.ORDER, sealing.ORDER - right, sealing.ORDER + right):
        outcome = accuse(honest, provider, oneTimeSecret=secret)
        assert outcome == refused("NotTheSecret", key.x), secret


def test_a_made_up_shared_point_is_refused(honest, provider):
    """Otherwise any pad, hence any key, could be claimed to have been delivered."""
    entry = honest.entry(provider)
    product = sealing.product(entry.one_time_secret, entry.sealed.ephemeral_x)
    other = sealing.point_of(7)
    mirrored = sealing.Point(product.x, sealing.FIELD - product.y)
    offered = {"sharedX": other.x, "sharedY": other.y}
    outcome = accuse(honest, provider, **offered)
    assert outcome.name == "SharedPointMismatch"
    assert outcome.args[0].lower() in (product.account, mirrored.account)
    assert outcome.args[1] == other.x


def test_only_sampled_shards_are_disputed(honest, provider):
    """No key was due for another one, inside the dataset or beyond it."""
    for shard in (0, 5, 11):
        assert accuse(honest, provider, shard) == refused("ShardNotSampled", shard)
    for shard in (SHARDS, 255, 256, 2**256 - 1):
        assert accuse(honest, provider, 4, shard=shard) == refused("ShardNotSampled", shard)


def test_the_leaf_is_the_committed_one_at_that_place(honest, provider):
    """A made-up leaf, another shard's leaf and an internal node are all refused."""
    leaves = honest.entry(provider).commitment.key_leaves
    root = honest.entry(provider).commitment.key_root
    path = cm.path(leaves, 4)
    for lie in (
        {"leaf": GARBAGE},
        {"leaf": leaves[5], "path": cm.path(leaves, 5)},
        {"leaf": leaves[1], "path": cm.path(leaves, 1)},
    ):
        outcome = accuse(honest, provider, **lie)
        assert outcome.name == "LeafNotInTree", lie
        assert outcome.args[0] == root
    node = keccak(leaves[4] + leaves[5])
    outcome = accuse(honest, provider, leaf=node, path=path[1:])
    assert outcome == refused("ProofLength", len(path) - 1, len(path))
    for padded in ([b"\0" * 32, *path[1:]], [*path[1:], b"\0" * 32], [path[1], *path[1:]]):
        assert accuse(honest, provider, leaf=node, path=padded).name == "LeafNotInTree"


@pytest.mark.parametrize("change", ["cut", "padded"])
def test_the_path_has_exactly_the_siblings(honest, provider, change):
    """No sibling missing, none too many."""
    path = cm.path(honest.entry(provider).commitment.key_leaves, 4)
    offered = path[:-1] if change == "cut" else [*path, GARBAGE]
    assert accuse(honest, provider, path=offered) == refused("ProofLength", len(offered), len(path))


def test_a_lie_is_proved_once(driver, provider):
    """The deposit is forfeited once; the accusation has no second effect."""
    seal_garbage(driver, provider)
    driver.submit_review(provider)
    driver.prove_wrong_key(provider, 4)
    assert accuse(driver, provider) == refused("WrongState", 0, 1)
    assert driver.session.owedToCollector() == driver.escrow + driver.terms.deposit
