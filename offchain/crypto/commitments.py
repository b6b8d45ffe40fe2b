"""Commitments to the shards of a dataset: the Python twin of ``contracts/hyperx/Shards.sol``.

Two trees over the same indices commit to a dataset. Leaf ``i`` of the key tree binds chain,
session, provider, ``i`` and the key of shard ``i``; leaf ``i`` of the address tree binds its
address likewise. The trees are those of ``contracts/exchange/MerkleTree.sol``: leaves are hashes
of three words, nodes of two, and a level of odd width hands its last node up unchanged. Every value
is 32 bytes unless stated; tests hold both sides against each other byte for byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from offchain.crypto.errors import CommitmentError

DERIVE_TYPE = keccak(b"souk.shard.derive.v1")
KEY_TYPE = keccak(b"souk.shard.key.v1")
ADDRESS_TYPE = keccak(b"souk.shard.address.v1")
ROOTS_TYPE = keccak(b"souk.registration.v1")
REVIEW_TYPE = keccak(b"souk.review.v1")
DELIVERY_TYPE = keccak(b"souk.delivery.v1")
DRAW_TYPE = keccak(b"souk.draw.v1")
FURTHER_TYPE = keccak(b"souk.further.v1")

COMMITMENT_BYTES = 26


def word(value: int | bytes | str) -> bytes:
    """``value`` as one 32-byte ABI word: an unsigned integer, 32 bytes, or a 20-byte 0x address."""
    if isinstance(value, int):
        return value.to_bytes(32, "big")
    if isinstance(value, str):
        raw = bytes.fromhex(value.removeprefix("0x"))
        if len(raw) != 20:
            raise CommitmentError(f"address {value!r} has {len(raw)} bytes, needs 20")
        return raw.rjust(32, b"\0")
    if len(value) != 32:
        raise CommitmentError(f"word has {len(value)} bytes, needs 32")
    return value


@dataclass(frozen=True)
class Party:
    """Whose commitments these are: one provider in one session on one chain.

    Attributes:
        chain_id: the chain's id.
        session: 0x address of the trading session.
        provider: 0x address of the provider.
    """

    chain_id: int
    session: str
    provider: str

    def domain(self, kind: bytes) -> bytes:
        """What separates this party's commitments of type ``kind`` from all others."""
        return keccak(kind + word(self.chain_id) + word(self.session) + word(self.provider))

    def shard_key(self, session_key: bytes, index: int) -> bytes:
        """Key of shard ``index``, as the contract derives it from the session key."""
        return keccak(self.domain(DERIVE_TYPE) + word(session_key) + word(index))

    def shard_keys(self, session_key: bytes, count: int) -> list[bytes]:
        """Keys of shards ``0..count-1``."""
        head = self.domain(DERIVE_TYPE) + word(session_key)
        return [keccak(head + word(i)) for i in range(count)]

    def draw_commitment(self, secret: bytes) -> bytes:
        """What the collector commits to before the block is there that decides with ``secret``."""
        return keccak(self.domain(DRAW_TYPE) + word(secret))

    def draw_seed(self, secret: bytes, block_hash: bytes) -> bytes:
        """Seed of a random sample; the hash is that of the block after the request."""
        return keccak(self.domain(DRAW_TYPE) + word(secret) + word(block_hash))

    def further_seed(self, one_time_key: int) -> bytes:
        """Seed of a review's further shards, by the x of the collector's one-time key."""
        return keccak(self.domain(FURTHER_TYPE) + word(one_time_key))

    def key_leaf(self, index: int, key: bytes) -> bytes:
        """Leaf ``index`` of the key tree."""
        return leaf(self.domain(KEY_TYPE), index, key)

    def key_leaves(self, keys: Sequence[bytes]) -> list[bytes]:
        """All leaves of the key tree, 32 bytes each, by shard."""
        return _leaves(self.domain(KEY_TYPE), keys)

    def address_leaves(self, addresses: Sequence[bytes]) -> list[bytes]:
        """All leaves of the address tree; an address is the sha2-256 digest of the shard's CID."""
        return _leaves(self.domain(ADDRESS_TYPE), addresses)


def leaf(domain: bytes, index: int, value: bytes) -> bytes:
    """Leaf ``index`` of a tree in ``domain``, 32 bytes; it binds its place and ``value``."""
    return keccak(domain + word(index) + word(value))


def _leaves(domain: bytes, values: Sequence[bytes]) -> list[bytes]:
    return [leaf(domain, i, value) for i, value in enumerate(values)]


def _levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All levels of the tree, leaves first, root last."""
    if not leaves:
        raise CommitmentError("a tree needs at least 1 leaf, got 0")
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        row = levels[-1]
        pairs = [keccak(row[i] + row[i + 1]) for i in range(0, len(row) - 1, 2)]
        levels.append(pairs + row[len(row) & ~1 :])
    return levels


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Root of the tree over ``leaves``."""
    return _levels(leaves)[-1][0]


def multiproof(leaves: Sequence[bytes], indices: Sequence[int]) -> list[bytes]:
    """Siblings that the contract needs to get from the leaves at ``indices`` to the root.

    Args:
        leaves: all leaves.
        indices: ascending, distinct, in ``[0, len(leaves))``.
    """
    proof = []
    known = _checked(indices, len(leaves))
    for row in _levels(leaves)[:-1]:
        members = set(known)
        proof += [row[i ^ 1] for i in known if i ^ 1 < len(row) and i ^ 1 not in members]
        known = sorted({i >> 1 for i in known})
    return proof


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Siblings from leaf ``index`` to the root."""
    return multiproof(leaves, [index])


def roots_hash(key_root: bytes, address_root: bytes) -> bytes:
    """The 26-byte commitment a provider starts with."""
    return keccak(ROOTS_TYPE + word(key_root) + word(address_root))[:COMMITMENT_BYTES]


def fold(commitment: bytes, pledge: bytes) -> bytes:
    """A 26-byte commitment with one more pledge in it."""
    return keccak(commitment.ljust(32, b"\0") + word(pledge))[:COMMITMENT_BYTES]


def review_hash(one_time_key: int, ephemeral_x: int, sealed_keys: Sequence[bytes]) -> bytes:
    """The pledge of an opened review; ``one_time_key`` is the x of that key."""
    sealed = sealed_keys_hash(sealed_keys)
    return keccak(REVIEW_TYPE + word(one_time_key) + word(ephemeral_x) + sealed)


def sealed_keys_hash(sealed_keys: Sequence[bytes]) -> bytes:
    """What stands for a review's sealed keys where the keys themselves are not needed."""
    return keccak(b"".join(sealed_keys))


def delivery_hash(ephemeral_x: int, sealed_key: bytes) -> bytes:
    """The pledge of a session key that was delivered sealed."""
    return keccak(DELIVERY_TYPE + word(ephemeral_x) + word(sealed_key))


def _checked(indices: Sequence[int], count: int) -> list[int]:
    known = list(indices)
    if known != sorted(set(known)):
        raise CommitmentError("indices must be ascending and distinct")
    if known and (known[0] < 0 or known[-1] >= count):
        raise CommitmentError(f"index out of range [0, {count}): {known[0]}..{known[-1]}")
    return known
