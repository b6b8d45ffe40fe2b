"""The collector's check of an opened review (section 3.1.5).

Before it decides it sees the sampled shards in plain: they must lie where the review says,
decrypt under the keys it delivers, be shards as the terms ask, no shard twice, and yield the very
features that were scored. They are opened one at a time: what is kept of each are its features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch

from offchain.crypto.commitments import Party, path
from offchain.crypto.errors import SealError, ShardCipherError
from offchain.crypto.sealing import SealedKeys, even_secret, open_keys, point_of, product
from offchain.crypto.shard_cipher import TAG_BYTES, decrypt_shard
from offchain.data.form import Form
from offchain.data.originals import print_of, shown
from offchain.data.pictures import UnreadableError
from offchain.data.shards import Shard, ShardError, unpack_shard
from offchain.errors import SoukError
from offchain.hyperx.actions import WrongKeyEvidence
from offchain.hyperx.features import LabelledFeatures
from offchain.hyperx.manifest import Manifest
from offchain.hyperx.patience import Patience
from offchain.hyperx.session import Member
from offchain.hyperx.terms import Terms
from offchain.storage import (
    ContentCorrupted,
    ContentError,
    ContentMissing,
    Datastore,
    cid_from_digest,
)

NOT_SEEN = (ContentMissing, ContentCorrupted)
"""What the datastore raises where nobody can say whether the content is good: it did not come, or
other bytes came in its place."""


@dataclass(frozen=True)
class Verdict:
    """What the collector makes of a review.

    Attributes:
        reason: one line; empty if the review is accepted.
        wrong_key: evidence that wins the dispute, if a key was wrong.
        difference: largest difference of the features in units of their channel's spread, None
            if it did not come so far.
        missing: nothing wrong was seen, but something could not be seen at all. It may be the
            candidate that withholds it, or somebody who keeps its node down for a while.
    """

    reason: str = ""
    wrong_key: WrongKeyEvidence | None = None
    difference: float | None = None
    missing: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the collector goes on to the exchange."""
        return not self.reason


class ReviewError(SoukError):
    """Sampled shards that cannot be obtained as the terms ask."""


class ShardNotSeen(ReviewError):
    """A shard that could not be fetched, and may be as the terms ask."""


def opened_keys(
    party: Party,
    member: Member,
    review: SealedKeys,
    leaves: Sequence[bytes],
    one_time_secret: int,
) -> dict[int, bytes] | WrongKeyEvidence:
    """The opened shards' keys, or evidence that one is not what the key tree committed to."""
    try:
        keys = open_keys(one_time_secret, review, member.opened)
        wrong = [i for i, key in keys.items() if party.key_leaf(i, key) != leaves[i]]
        if not wrong:
            return keys
        shard = wrong[0]
    except SealError:
        # The candidate named no point of the curve, so that any shard serves.
        shard = member.opened[0]
    shared = product(one_time_secret, review.ephemeral_x)
    return WrongKeyEvidence(
        key_root=member.key_root,
        address_root=member.address_root,
        bitmap=member.opened_bitmap,
        ephemeral_x=review.ephemeral_x,
        sealed_keys=review.sealed,
        one_time_key=point_of(one_time_secret).x,
        one_time_secret=even_secret(one_time_secret),
        shared_x=shared.x,
        shared_y=shared.y,
        shard=shard,
        leaf=leaves[shard],
        path=tuple(path(leaves, shard)),
    )


def fetch_shards(
    store: Datastore,
    manifest: Manifest,
    classes: tuple[str, ...],
    addresses: Sequence[bytes],
    keys: dict[int, bytes],
    patience: Patience | None = None,
) -> Iterator[tuple[int, Shard]]:
    """The shards that `keys` (index -> key) open, each with its index, in that order, as they come.

    Args:
        classes: of the task.
        addresses: one 32-byte address per key, in the same order.
        patience: None for as long as it takes.

    Each is pinned, so that none has to be fetched again.

    Raises ReviewError naming the shard that does not decrypt or is no shard as the terms ask, and
    its kind ShardNotSeen naming one that is missing.
    """
    cids = [cid_from_digest(address) for _, address in zip(keys, addresses, strict=True)]
    ciphertexts = store.get_many(cids, manifest.shard_bytes + TAG_BYTES)
    for got, (cid, (index, key)) in enumerate(zip(cids, keys.items(), strict=True), 1):
        try:
            plain = decrypt_shard(key, index, next(ciphertexts))
            store.pin(cid)
            if patience:
                patience.check(got, len(keys))
            shard = unpack_shard(plain, classes, manifest.shard_size)
        except NOT_SEEN as error:
            raise ShardNotSeen(f"shard {index}: {error}") from error
        except (ContentError, ShardCipherError, ShardError) as error:
            raise ReviewError(f"shard {index}: {error}") from error
        yield index, shard


@dataclass(frozen=True)
class Opened:
    """What is kept of the opened shards: features of all samples, and how many show the same."""

    features: LabelledFeatures
    copies: int


def features_of(
    shards: Iterable[tuple[int, Shard]],
    form: Form,
    extract: Callable[[torch.Tensor], torch.Tensor],
    patience: Patience | None = None,
) -> Opened:
    """What is seen of shards, each forgotten before the next is asked for.

    form: in which they are decoded. extract: features float32 (N, C', H', W') of what records show,
    (N, *form.values). patience: None for as long as it takes. Raises ReviewError naming a record
    that is none or a shard that is a copy of another, ContentMissing when patience is over.
    """
    features, labels = [], []
    prints: list[bytes] = []
    look = patience.still if patience else None
    # A provider may repeat shards to inflate its set. Neither their files' bytes tell, behind which
    # anything may be written, nor their order.
    first: dict[tuple[bytes, ...], int] = {}
    for index, shard in shards:
        start = len(prints)
        try:
            for samples in shown(shard.files, form, "sample", look):
                prints += [print_of(sample) for sample in samples]
                features.append(extract(samples))
        except UnreadableError as error:
            raise ReviewError(f"shard {index}: {error}") from error
        original = first.setdefault(tuple(sorted(prints[start:])), index)
        if original != index:
            raise ReviewError(f"shard {index} is a copy of shard {original}")
        labels.append(torch.tensor(shard.labels))
    copies = len(prints) - len(set(prints))
    return Opened(LabelledFeatures(torch.cat(features), torch.cat(labels)), copies)


def check_distinct(opened: Opened, terms: Terms, least: int) -> None:
    """Raises ReviewError if so many of the opened samples are copies that fewer than `least` are
    left."""
    most = terms.shard_count * terms.shard_size - opened.copies
    if most < least:
        raise ReviewError(
            f"{opened.copies} of {len(opened.features.labels)} opened samples are copies, so at "
            f"most {most} are distinct, the task asks for {least}"
        )
