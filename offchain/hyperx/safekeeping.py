"""What a collector has in its own node before it relies on a provider.

Evidence against a provider must not lie in the provider's hands, and nothing that is paid for may
go missing afterwards. So manifests are pinned before a sample is asked for, and published shards
before their provider becomes the candidate.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from contextlib import suppress
from functools import partial

from offchain.crypto.shard_cipher import TAG_BYTES
from offchain.data.imageset import Progress
from offchain.hyperx.manifest import (
    Manifest,
    ManifestError,
    fetch_addresses,
    fetch_key_leaves,
    fetch_manifest,
)
from offchain.hyperx.patience import Patience
from offchain.hyperx.session import Member, Session
from offchain.report.text import plain
from offchain.storage import ContentError, Datastore, cid_from_digest
from offchain.storage.retention import Promise
from offchain.storage.together import side_by_side
from offchain.task import Task
from offchain.task.checks import fits, told


def keep_manifest(
    store: Datastore, session: Session, member: Member, task: Task, most_bytes: int
) -> Manifest:
    """Fetches, checks and pins the manifest of `member` and the lists that it names.

    task: of the session. most_bytes: of all shards, where a task takes any size. Raises
    ManifestError unless all of it fits the terms, the task and the registration, and what the
    datastore raises.
    """
    manifest = fetch_manifest(store, member.manifest, session.terms)
    check_for(manifest, task)
    size = encrypted_bytes(manifest)
    if size > most_bytes:
        raise ManifestError(
            f"{manifest.shard_count} shards are {size} bytes, at most {most_bytes} are kept"
        )
    fetch_key_leaves(store, manifest, member.key_root)
    store.pin(cid_from_digest(member.manifest))
    store.pin(manifest.key_leaves)
    if manifest.addresses is not None:
        party = session.party(member.account)
        fetch_addresses(store, manifest, party, member.address_root)
        store.pin(manifest.addresses)
    return manifest


def encrypted_bytes(manifest: Manifest) -> int:
    """Of all shards as they are stored."""
    return manifest.total_bytes + manifest.shard_count * TAG_BYTES


def check_for(manifest: Manifest, task: Task) -> None:
    """Raises ManifestError unless the data is of the task's shape and sold under its licence."""
    if not fits(task.shape, manifest.shape):
        raise ManifestError(
            f"samples are {told(manifest.shape)}, the task asks for {told(task.shape)}"
        )
    if manifest.licence != task.licence:
        raise ManifestError(
            f"the licence is {plain(manifest.licence)!r}, the task's is {plain(task.licence)!r}"
        )


def shards_promised(
    store: Datastore, session: Session, member: Member, manifest: Manifest
) -> list[Promise]:
    """What a provider has to keep until its dataset is bought, or another's is; of hidden shards
    nothing is known. Raises as `fetch_addresses` does."""
    if manifest.addresses is None:
        return []
    party = session.party(member.account)
    addresses = fetch_addresses(store, manifest, party, member.address_root)
    return [
        Promise(cid_from_digest(address), member.account, f"shard {i}")
        for i, address in enumerate(addresses)
    ]


def promised_by_members(store: Datastore, session: Session, reached: Set[str]) -> Sequence[Promise]:
    """What providers have to keep, as far as somebody who only looks on has found the way to it.

    reached: CIDs of which a block could be fetched: manifests first, then their lists, then shards.
    All of one may still not come; members are waited for side by side. Raises DatastoreUnavailable.
    """
    if session.deal is not None:
        return []
    members = session.members.values()
    calls = [partial(_promised_by, store, session, member, reached) for member in members]
    return [one for found in side_by_side(calls) for one in found.result()]


def _promised_by(
    store: Datastore, session: Session, member: Member, reached: Set[str]
) -> list[Promise]:
    cid = cid_from_digest(member.manifest)
    found = [Promise(cid, member.account, "manifest")]
    if cid not in reached:
        return found
    with suppress(ManifestError, ContentError):  # nothing more is known of it
        manifest = fetch_manifest(store, member.manifest, session.terms)
        found.append(Promise(manifest.key_leaves, member.account, "key leaves"))
        if manifest.addresses is not None:
            found.append(Promise(manifest.addresses, member.account, "addresses"))
            if manifest.addresses in reached:
                found += shards_promised(store, session, member, manifest)
    return found


def keep_shards(
    store: Datastore,
    session: Session,
    member: Member,
    manifest: Manifest,
    patience: Patience,
    progress: Progress | None = None,
) -> None:
    """Fetches and pins every published shard of `member`; hidden ones cannot be asked for.

    progress: called in shards. Raises ManifestError where they have more bytes than the manifest
    says, and what the datastore raises; ContentMissing also when `patience` is over. What has come
    by then is kept.
    """
    if manifest.addresses is None:
        return
    party = session.party(member.account)
    addresses = fetch_addresses(store, manifest, party, member.address_root)
    left = encrypted_bytes(manifest)
    cids = [cid_from_digest(address) for address in addresses]
    for i, shard in enumerate(store.get_many(cids, manifest.shard_bytes + TAG_BYTES)):
        patience.check(i, len(cids))
        left -= len(shard)
        if left < 0:
            raise ManifestError(
                f"with shard {i} there are more than the {encrypted_bytes(manifest)} bytes of "
                "the manifest"
            )
        store.pin(cids[i])
        if progress:
            progress(i + 1, len(cids))
