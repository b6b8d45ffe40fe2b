"""The trees a provider commits to, against a second implementation written from the text alone."""

import random

import pytest
from eth_hash.auto import keccak

from offchain.crypto import commitments as cm
from offchain.crypto.errors import CommitmentError
from tests.kit.multiproofs import proven_root

PARTY = cm.Party(1, "0x" + "11" * 20, "0x" + "22" * 20)
SIZES = range(1, 21)


def values(count):
    return [keccak(b"value %d" % i) for i in range(count)]


def naive_root(leaves):
    """A tree by recursion: the left part is the largest full one of the level above."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return keccak(naive_root(leaves[:half]) + naive_root(leaves[half:]))


def subsets(count, how_many=12):
    """Non-empty index sets: all of a small tree, a seeded choice of a larger one."""
    if 2**count <= 64:
        return [[i for i in range(count) if n >> i & 1] for n in range(1, 2**count)]
    source = random.Random(count)
    drawn = [sorted(source.sample(range(count), source.randint(1, count))) for _ in range(how_many)]
    return [*drawn, list(range(count)), [count - 1], [0]]


@pytest.mark.parametrize("count", SIZES)
def test_the_root_is_that_of_a_tree_built_by_recursion(count):
    leaves = PARTY.key_leaves(values(count))
    assert cm.root_of(leaves) == naive_root(leaves)


def test_a_leaf_hashes_domain_index_and_value_as_three_abi_words():
    """So the contract's abi.encode gives the same, and no leaf has a node's length."""
    key = bytes(range(32))
    domain = keccak(
        keccak(b"souk.shard.key.v1")
        + (1).to_bytes(32, "big")
        + bytes(12)
        + b"\x11" * 20
        + bytes(12)
        + b"\x22" * 20
    )
    assert PARTY.key_leaf(5, key) == keccak(domain + (5).to_bytes(32, "big") + key)
    assert PARTY.key_leaves([key] * 6)[5] == PARTY.key_leaf(5, key)


@pytest.mark.parametrize("count", SIZES)
def test_every_multiproof_leads_to_the_root(count):
    leaves = PARTY.address_leaves(values(count))
    for indices in subsets(count):
        proof = cm.multiproof(leaves, indices)
        assert proven_root(count, {i: leaves[i] for i in indices}, proof) == cm.root_of(leaves)


@pytest.mark.parametrize("count", [2, 3, 7, 12, 20])
def test_a_changed_bit_in_leaf_or_proof_leads_to_another_root(count):
    leaves = PARTY.address_leaves(values(count))
    source = random.Random(count)
    for indices in subsets(count, how_many=4):
        proof, known = cm.multiproof(leaves, indices), {i: leaves[i] for i in indices}
        for index in indices:
            lie = known | {index: flipped(known[index], source)}
            assert proven_root(count, lie, proof) != cm.root_of(leaves)
        for place in range(len(proof)):
            bent = [*proof[:place], flipped(proof[place], source), *proof[place + 1 :]]
            assert proven_root(count, known, bent) != cm.root_of(leaves)


@pytest.mark.parametrize("count", SIZES)
def test_a_proof_has_no_node_too_many_or_too_few(count):
    leaves = PARTY.address_leaves(values(count))
    for indices in subsets(count, how_many=4):
        proof, known = cm.multiproof(leaves, indices), {i: leaves[i] for i in indices}
        with pytest.raises(ValueError, match="too long"):
            proven_root(count, known, [*proof, bytes(32)])
        if proof:
            with pytest.raises(ValueError, match="too short"):
                proven_root(count, known, proof[:-1])


def flipped(word, source):
    """`word` with one bit changed."""
    return (int.from_bytes(word, "big") ^ 1 << source.randrange(256)).to_bytes(32, "big")


def test_a_node_cannot_stand_for_a_leaf():
    """A tree of the two nodes of another has its root only with leaves that hash to no value:
    a committed value is always hashed with domain and index first."""
    leaves = PARTY.key_leaves(values(4))
    nodes = [keccak(leaves[0] + leaves[1]), keccak(leaves[2] + leaves[3])]
    assert cm.root_of(nodes) == cm.root_of(leaves)
    assert cm.root_of(PARTY.key_leaves(nodes)) != cm.root_of(leaves)


def test_the_same_keys_give_another_root_on_another_chain_session_or_provider():
    """A root copied from a rival, or replayed from another session, opens for nobody else."""
    other = "0x" + "33" * 20
    parties = [
        PARTY,
        cm.Party(2, PARTY.session, PARTY.provider),
        cm.Party(1, other, PARTY.provider),
        cm.Party(1, PARTY.session, other),
        cm.Party(1, PARTY.provider, PARTY.session),
    ]
    for leaves in (cm.Party.key_leaves, cm.Party.address_leaves):
        assert len({cm.root_of(leaves(party, values(5))) for party in parties}) == len(parties)
    assert len({party.shard_key(bytes(32), 0) for party in parties}) == len(parties)


def test_the_same_values_give_different_key_and_address_trees():
    assert not set(PARTY.key_leaves(values(9))) & set(PARTY.address_leaves(values(9)))


def test_equal_values_at_two_places_give_different_leaves():
    assert len(set(PARTY.key_leaves([bytes(32)] * 9))) == 9


def test_shard_keys_are_distinct_and_the_same_one_by_one():
    keys = PARTY.shard_keys(bytes([1]) * 32, 50)
    assert keys == [PARTY.shard_key(bytes([1]) * 32, i) for i in range(50)]
    assert len({*keys, *PARTY.shard_keys(bytes([2]) * 32, 50)}) == 100


def test_a_registration_that_pledged_more_is_another():
    start = cm.roots_hash(bytes([1]) * 32, bytes([2]) * 32)
    pledged = cm.fold(start, bytes([3]) * 32)
    assert len(start) == len(pledged) == cm.COMMITMENT_BYTES
    assert len({start, pledged, cm.fold(pledged, bytes([3]) * 32)}) == 3
    assert cm.roots_hash(bytes([2]) * 32, bytes([1]) * 32) != start


def test_a_review_binds_key_ephemeral_point_and_every_sealed_key_in_order():
    point, sealed = bytes([4]) * 32, [bytes([i]) * 32 for i in (1, 2)]
    reviews = [
        cm.review_hash(point, 7, sealed),
        cm.review_hash(bytes([5]) * 32, 7, sealed),
        cm.review_hash(point, 8, sealed),
        cm.review_hash(point, 7, sealed[::-1]),
        cm.review_hash(point, 7, sealed[:1]),
    ]
    assert len(set(reviews)) == len(reviews)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cm.root_of([]), "at least 1 leaf, got 0"),
        (lambda: cm.multiproof(values(4), [0, 4]), r"out of range \[0, 4\)"),
        (lambda: cm.multiproof(values(4), [-1]), r"out of range \[0, 4\)"),
        (lambda: cm.multiproof(values(4), [2, 1]), "ascending and distinct"),
        (lambda: cm.multiproof(values(4), [1, 1]), "ascending and distinct"),
        (lambda: PARTY.key_leaf(0, bytes(31)), "31 bytes, needs 32"),
        (lambda: cm.word("0x1234"), "2 bytes, needs 20"),
    ],
)
def test_what_cannot_be_committed_to_is_named(call, message):
    with pytest.raises(CommitmentError, match=message):
        call()
