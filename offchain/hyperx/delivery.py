"""Sealed settlement: the session key on its way to the collector, and the proof that it is wrong.

The twin of the second half of ``contracts/hyperx/Evidence.sol``. The key is sealed to the one-time
key of the review, under a fresh point: whoever proved a wrong key in the review, and so disclosed
that one-time key, chose another provider.
"""

from __future__ import annotations

from collections.abc import Sequence

from offchain.crypto.bitmap import bitmap_hash
from offchain.crypto.commitments import Party, path, root_of, sealed_keys_hash
from offchain.crypto.errors import SealError
from offchain.crypto.sealing import (
    Point,
    SealedKeys,
    even_secret,
    open_keys,
    point_of,
    product,
    seal_keys,
)
from offchain.hyperx.actions import WrongDeliveryEvidence
from offchain.hyperx.events import KeyDelivered
from offchain.hyperx.session import Member

SESSION_KEY_INDEX = 2**256 - 1
"""Where the session key has its pad; no shard has this index."""


def seal_session_key(one_time_key: Point, session_key: bytes) -> SealedKeys:
    """`session_key`, 32 bytes, readable by the owner of `one_time_key` alone."""
    return seal_keys(one_time_key, {SESSION_KEY_INDEX: session_key})


def delivered_key(one_time_secret: int, delivery: KeyDelivered) -> bytes:
    """What was delivered, right or wrong. Raises SealError if the sender's point is none."""
    sealed = SealedKeys(delivery.ephemeral_x, (delivery.sealed_key,))
    return open_keys(one_time_secret, sealed, (SESSION_KEY_INDEX,))[SESSION_KEY_INDEX]


def right_key(
    party: Party, member: Member, delivery: KeyDelivered, one_time_secret: int, count: int
) -> bytes | None:
    """The delivered session key if all `count` keys of the key tree derive from it, else None."""
    try:
        key = delivered_key(one_time_secret, delivery)
    except SealError:
        return None
    root = root_of(party.key_leaves(party.shard_keys(key, count)))
    return key if root == member.key_root else None


def wrong_shard(
    party: Party, delivery: KeyDelivered, one_time_secret: int, leaves: Sequence[bytes]
) -> int:
    """The first shard whose committed leaf is another than the delivered key yields.

    Any shard does where the sender's point is none. Raises ValueError if there is no such shard.
    """
    try:
        key = delivered_key(one_time_secret, delivery)
    except SealError:
        return 0
    derived = party.key_leaves(party.shard_keys(key, len(leaves)))
    for shard, (yielded, committed) in enumerate(zip(derived, leaves, strict=True)):
        if yielded != committed:
            return shard
    raise ValueError(f"the session key yields all {len(leaves)} committed keys")


def accuse(
    member: Member,
    delivery: KeyDelivered,
    leaves: Sequence[bytes],
    one_time_secret: int,
    shard: int,
) -> WrongDeliveryEvidence:
    """Evidence about `shard`; the contract takes it if the shard's committed key is another.

    Args:
        leaves: all leaves of the provider's key tree.

    Raises ValueError if the provider opened no review.
    """
    if member.review is None:
        raise ValueError(f"{member.account} opened no review")
    shared = product(one_time_secret, delivery.ephemeral_x)
    return WrongDeliveryEvidence(
        key_root=member.key_root,
        address_root=member.address_root,
        sample_hash=bitmap_hash(member.opened_bitmap),
        review_x=member.review.ephemeral_x,
        review_keys_hash=sealed_keys_hash(member.review.sealed),
        ephemeral_x=delivery.ephemeral_x,
        sealed_key=delivery.sealed_key,
        one_time_key=point_of(one_time_secret).x,
        one_time_secret=even_secret(one_time_secret),
        shared_x=shared.x,
        shared_y=shared.y,
        shard=shard,
        leaf=leaves[shard],
        path=tuple(path(leaves, shard)),
    )
