"""The Solidity of the fair exchange and of listings, and its Python twins, byte for byte."""

from __future__ import annotations

from pathlib import Path

import ape
import numpy as np
import pytest
from eth_hash.auto import keccak

from offchain.crypto import commitments as cm
from offchain.crypto.disputable import EncryptedFile, FileDomain, Shape, encrypt_chunks
from offchain.crypto.keccak_stream import crypt, nonce
from tests.hide.listing_driver import make_listing
from tests.kit.solidity import compile_contracts

HARNESS = "tests/invariants/ExchangeHarness.sol"
SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 255, 256, 257]


@pytest.fixture(scope="module")
def harness(project, deployer):
    """The libraries' internal functions, callable."""
    source = (Path(project.path) / HARNESS).read_text()
    containers = compile_contracts({"ExchangeHarness": HARNESS}, {HARNESS: source})
    return deployer.deploy(containers["ExchangeHarness"])


@pytest.fixture
def rng(request):
    """Random inputs that depend on the test's own parameters and nothing else."""
    return np.random.default_rng(list(request.node.name.encode()))


@pytest.fixture
def domain(harness, seller, rng):
    return FileDomain(ape.chain.chain_id, harness.address, seller.address, rng.bytes(32))


def test_domains_and_keys(harness, domain, seller, rng):
    key = rng.bytes(32)
    assert harness.domain(seller, domain.label) == domain.digest
    assert harness.keyHash(domain.digest, key) == domain.key_hash(key)


@pytest.mark.parametrize("count", SIZES)
def test_files_at_any_size(harness, domain, rng, count):
    """Leaves, roots by every kind of path, and the commitment."""
    key, data = rng.bytes(32), rng.bytes(32 * count - int(rng.integers(0, 32)))
    file = encrypt_chunks(domain, key, data, 32)
    assert harness.count(len(data), 32) == file.shape.count == count
    leaves = file.cipher_leaves(domain)
    roots = cm.root_of(leaves), cm.root_of(file.plain_leaves)
    assert harness.commitment(domain.digest, len(data), 32, *roots) == file.commitment(domain)
    chunks = [bytes(c) for c in file.shape.cut(file.ciphertext)]
    plains = [bytes(c) for c in file.shape.cut(data)]
    for i in {0, count // 2, count - 1}:
        assert harness.sizeOf(len(data), 32, i) == len(chunks[i])
        assert harness.cipherLeaf(domain.digest, i, keccak(chunks[i])) == leaves[i]
        plain = harness.plainLeaf(domain.digest, key, i, keccak(plains[i]))
        assert plain == file.plain_leaves[i]
        assert harness.root(count, i, leaves[i], cm.path(leaves, i)) == roots[0]


@pytest.mark.parametrize("length", [1, 31, 32, 33, 64, 1000, 1024, 16_384])
def test_the_cipher_at_any_length(harness, domain, rng, length):
    key, plain, index = rng.bytes(32), rng.bytes(length), int(rng.integers(0, 2**20))
    stream = nonce(domain.digest, rng.bytes(32))
    chunk = crypt(key, stream, index, plain)
    assert harness.plainHash(key, stream, index, chunk) == keccak(plain)
    root = rng.bytes(32)
    assert harness.streamNonce(domain.digest, root) == nonce(domain.digest, root)


def test_a_listing_has_one_id(contract, seller):
    listing = make_listing(contract, seller)[0]
    assert contract.listingId(listing.args()) == listing.id(ape.chain.chain_id, contract.address)


def test_a_published_file_is_the_same_after_the_datastore(domain, rng):
    file = encrypt_chunks(domain, rng.bytes(32), rng.bytes(1000), 64)
    again = EncryptedFile.from_bytes(file.to_bytes())
    assert again == file
    assert again.shape == Shape(1000, 64)
