"""The Solidity commitments and their Python twins agree byte for byte on random inputs.

Every input comes from a seeded generator, so a failure repeats; tests/invariants holds the same
Solidity against a plain version of itself.
"""

from __future__ import annotations

from pathlib import Path

import ape
import numpy as np
import pytest

from offchain.crypto import commitments as cm
from offchain.crypto import sealing
from offchain.crypto.bitmap import bitmap_hash, draw, to_bitmap
from offchain.hyperx.delivery import SESSION_KEY_INDEX
from tests.kit.solidity import compile_contracts

HARNESS = "tests/invariants/ShardsHarness.sol"
COUNTS = [1, 2, 3, 5, 8, 13, 31, 64, 100, 255, 256, 257, 300, 513]


@pytest.fixture(scope="module")
def harness(project, deployer):
    """The contracts' internal functions, callable."""
    source = (Path(project.path) / HARNESS).read_text()
    containers = compile_contracts({"ShardsHarness": HARNESS}, {HARNESS: source})
    return deployer.deploy(containers["ShardsHarness"])


@pytest.fixture(scope="module")
def party(harness, provider):
    """Whose commitments both sides compute."""
    return cm.Party(ape.chain.chain_id, harness.address, provider.address)


@pytest.fixture
def rng(request):
    """Random inputs that depend on the test's own parameters and nothing else."""
    return np.random.default_rng(list(request.node.name.encode()))


def words(rng, count):
    return [rng.bytes(32) for _ in range(count)]


def integer(rng, low, high):
    """Uniform in [low, high) up to a bias of 2**-128."""
    return low + int.from_bytes(rng.bytes(48), "big") % (high - low)


def some_indices(rng, count):
    return sorted(rng.choice(count, size=int(rng.integers(1, count + 1)), replace=False).tolist())


@pytest.mark.parametrize("count", COUNTS)
def test_roots_and_paths(harness, party, provider, rng, count):
    """Key root, address root, and the path of any leaf, at even and odd widths."""
    session_key, addresses = rng.bytes(32), words(rng, count)
    leaves = party.key_leaves(party.shard_keys(session_key, count))
    assert harness.keyRoot(provider, session_key, count) == cm.root_of(leaves)
    expected = cm.root_of(party.address_leaves(addresses))
    assert harness.addressRoot(provider, addresses) == expected

    index = int(rng.integers(count))
    key = party.shard_key(session_key, index)
    assert harness.keyLeaf(provider, index, key) == leaves[index] == party.key_leaf(index, key)
    path = cm.path(leaves, index)
    assert harness.pathRoot(count, index, leaves[index], path) == cm.root_of(leaves)


@pytest.mark.parametrize("count", COUNTS)
def test_multiproofs(harness, party, provider, rng, count):
    """Python's proof for any sample is the one that Solidity reads."""
    addresses, indices = words(rng, count), some_indices(rng, count)
    leaves = party.address_leaves(addresses)
    opened = [addresses[i] for i in indices]
    proof = cm.multiproof(leaves, indices)
    bitmap = to_bitmap(indices, count)
    assert harness.multiproofRoot(provider, count, bitmap, opened, proof) == cm.root_of(leaves)


@pytest.mark.parametrize("count", COUNTS)
def test_samples(harness, rng, count):
    """Bitmaps, their size, ranks and hash, and the draw from a seed."""
    indices = some_indices(rng, count)
    bitmap = to_bitmap(indices, count)
    assert harness.size(bitmap, count) == len(indices)
    assert harness.bitmapHash(bitmap) == bitmap_hash(bitmap)
    place = int(rng.integers(len(indices)))
    assert tuple(harness.rank(bitmap, indices[place])) == (True, place)

    seed = rng.bytes(32)
    wanted = int(rng.integers(0, count // 2 + 1))
    assert list(harness.draw(seed, count, wanted)) == draw(seed, count, wanted)


@pytest.mark.parametrize("case", range(8))
def test_pledges(harness, rng, case):
    """The hashes that a commitment is folded from; ``case`` is the number of sealed keys."""
    keys, addresses, pledge = words(rng, 3)
    assert harness.rootsHash(keys, addresses) == cm.roots_hash(keys, addresses)
    commitment = rng.bytes(26)
    assert harness.fold(commitment, pledge) == cm.fold(commitment, pledge)

    ephemeral_x, sealed = integer(rng, 0, 2**256), words(rng, case)
    one_time_key = integer(rng, 0, 2**256)
    expected = cm.review_hash(one_time_key, ephemeral_x, sealed)
    assert harness.reviewHash(one_time_key, ephemeral_x, sealed) == expected


@pytest.mark.parametrize("case", range(2))
def test_draws(harness, party, provider, rng, case):
    """What a draw is committed to by, and what it and a review's further shards follow from."""
    secret, block_hash = words(rng, 2)
    one_time_key = integer(rng, 0, 2**256)
    assert harness.furtherSeed(provider, one_time_key) == party.further_seed(one_time_key)
    assert harness.drawCommitment(provider, secret) == party.draw_commitment(secret)
    assert harness.drawSeed(provider, secret, block_hash) == party.draw_seed(secret, block_hash)


@pytest.mark.parametrize("case", range(4))
def test_deliveries(harness, party, provider, rng, case):
    """The pledge of a delivery, the pad it lies under, and one shard's key by itself."""
    ephemeral_x, (sealed, session_key) = integer(rng, 0, 2**256), words(rng, 2)
    assert harness.deliveryHash(ephemeral_x, sealed) == cm.delivery_hash(ephemeral_x, sealed)
    assert harness.sessionKeyIndex() == SESSION_KEY_INDEX
    index = integer(rng, 0, 10_000)
    expected = party.shard_key(session_key, index)
    assert harness.shardKey(provider, session_key, index) == expected
    assert party.shard_keys(session_key, index + 1)[index] == expected


@pytest.mark.parametrize("case", range(8))
def test_sealed_keys(harness, rng, case):
    """Accounts of points, the product that proves a wrong key, and the pads."""
    secret = integer(rng, 1, sealing.ORDER)
    point = sealing.point_of(secret)
    assert harness.isOnCurve(point.x, point.y)
    assert same_account(harness.account(point.x, point.y), point.account)
    assert harness.isSecretOf(sealing.even_secret(secret), point.x)
    assert not harness.isSecretOf(sealing.ORDER - sealing.even_secret(secret), point.x)

    keys = dict(enumerate(words(rng, 3)))
    sealed = sealing.seal_keys(point, keys)
    product = sealing.product(secret, sealed.ephemeral_x)
    account = harness.productAccount(secret, sealed.ephemeral_x)
    assert harness.isAccountOf(account, product.x, product.y)
    for i, key in keys.items():
        pad = harness.pad(product.x, i)
        assert pad == sealing.pad(product.x, i)
        assert bytes(a ^ b for a, b in zip(sealed.sealed[i], pad, strict=True)) == key


@pytest.mark.parametrize("x", [0, 5, sealing.FIELD - 1, sealing.FIELD])
def test_no_point_no_product(harness, x):
    """Where Python finds no point, Solidity finds no product."""
    assert sealing.product(1, x) == sealing.NO_POINT
    assert int(harness.productAccount(1, x), 16) == 0


def same_account(one: str, other: str) -> bool:
    return one.lower() == other.lower()
