"""A provider's dataset as the contract sees it: keys, addresses and the two trees over them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from eth_hash.auto import keccak

from offchain.crypto import commitments as cm


@dataclass(frozen=True)
class Commitment:
    """All a provider commits to, and what it needs to open it again.

    Attributes:
        party: chain, session and provider that every leaf binds.
        session_key: the 32-byte key from which all shard keys derive.
        keys: one 32-byte key per shard.
        addresses: one 32-byte address per shard.
        manifest: 32-byte digest of the manifest.
    """

    party: cm.Party
    session_key: bytes
    keys: tuple[bytes, ...]
    addresses: tuple[bytes, ...]
    manifest: bytes

    @classmethod
    def of(cls, party: cm.Party, count: int, seed: str = "dataset") -> Commitment:
        """The dataset of ``count`` shards that ``seed`` stands for, always the same one."""

        def digest(label: str) -> bytes:
            return keccak(f"{seed}/{label}".encode())

        session_key = digest("session key")
        return cls(
            party=party,
            session_key=session_key,
            keys=tuple(party.shard_keys(session_key, count)),
            addresses=tuple(digest(f"address {i}") for i in range(count)),
            manifest=digest("manifest"),
        )

    @cached_property
    def key_leaves(self) -> list[bytes]:
        """Leaves of the key tree."""
        return self.party.key_leaves(self.keys)

    @cached_property
    def address_leaves(self) -> list[bytes]:
        """Leaves of the address tree."""
        return self.party.address_leaves(self.addresses)

    @cached_property
    def key_root(self) -> bytes:
        """Root of the key tree."""
        return cm.root_of(self.key_leaves)

    @cached_property
    def address_root(self) -> bytes:
        """Root of the address tree."""
        return cm.root_of(self.address_leaves)
