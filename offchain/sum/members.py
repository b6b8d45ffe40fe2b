"""Who belongs to a group that shares a model by points: the twin of PointsIncentive.sol's tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak

from offchain.crypto.commitments import leaf, path, root_of, word

MEMBER_TYPE = keccak(b"souk.points.member.v1")


@dataclass(frozen=True)
class Members:
    """The members of one group, in an order that does not change.

    chain_id: of the chain; incentive: 0x address of the PointsIncentive that the list is for.
    accounts: 0x addresses, at least one.
    """

    chain_id: int
    incentive: str
    accounts: Sequence[str]

    @property
    def root(self) -> bytes:
        """32 bytes: what the incentive is given, beside the number of members."""
        return root_of(self._leaves)

    def path(self, index: int) -> list[bytes]:
        """What member `index`, 0 or more, shows when it joins."""
        return path(self._leaves, index)

    @property
    def _leaves(self) -> list[bytes]:
        domain = keccak(MEMBER_TYPE + word(self.chain_id) + word(self.incentive))
        return [leaf(domain, i, word(account)) for i, account in enumerate(self.accounts)]
