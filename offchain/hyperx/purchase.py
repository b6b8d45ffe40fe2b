"""What was bought: the files of a closed session, and what ties them to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from offchain.crypto.bitmap import bitmap_hash
from offchain.crypto.commitments import root_of
from offchain.crypto.secrets_file import SecretsFile
from offchain.crypto.shard_cipher import encrypt_shard
from offchain.data.imageset import Progress
from offchain.data.shards import Shard, pack_shard, shard_digest, shards_digest
from offchain.errors import SoukError
from offchain.hyperx import delivery as dl
from offchain.hyperx import events as ev
from offchain.hyperx import manifest as mf
from offchain.hyperx.review import fetch_shards
from offchain.hyperx.session import Member, Session
from offchain.storage import Datastore, cid_of, digest_of
from offchain.task import Task


class NothingBought(SoukError):
    """A session that closed without a deal, or whose delivered key is wrong or not ours."""


@dataclass(frozen=True)
class Purchase:
    """A bought dataset, of which a shard at a time is fetched and decrypted.

    Attributes:
        store, task: where it lies, and whose classes it has.
        manifest: of the provider. member: the provider, as the chain tells of it.
        addresses: of the encrypted shards, 32 bytes each. keys: of the shards, in order.
        session_key: opens all shards, 32 bytes.
    """

    store: Datastore
    task: Task
    manifest: mf.Manifest
    member: Member
    addresses: Sequence[bytes]
    keys: Sequence[bytes]
    session_key: bytes

    def __len__(self) -> int:
        return self.manifest.shard_count * self.manifest.shard_size

    def shards(self, start: int = 0) -> Iterator[tuple[int, Shard]]:
        """Each shard with its index, from `start` on.

        Raises ReviewError where one is not what was sold, and what the datastore raises.
        """
        keys = dict(enumerate(self.keys[start:], start))
        return fetch_shards(
            self.store, self.manifest, self.task.classes, self.addresses[start:], keys
        )

    def digest(self, progress: Progress | None = None) -> str:
        """SHA-256 of all files with their classes (`shards_digest`); progress: in shards.

        Raises as `shards` does.
        """

        digests = []
        for index, shard in self.shards():
            digests.append(shard_digest(pack_shard(shard, self.task.classes)))
            if progress:
                progress(index + 1, len(self.keys))
        return shards_digest(digests)


def one_time_name(session: Session, account: str) -> str:
    """How the collector's secret for the review of `account` is called in its file.

    By all that the review judges: where a reorganisation lets another sample be drawn or other
    features be submitted, nobody must foresee what a review opens.
    """
    member = session.member(account)
    judged = (bitmap_hash(member.bitmap) + (member.features or b"")).hex()
    where = f"{session.address} on chain {session.chain_id}"
    return f"one-time key for {account} in {where} over {judged}"


def session_key(session: Session, secrets: SecretsFile) -> bytes:
    """The key that was published, or delivered to whom the secrets belong.

    Raises NothingBought, SecretsError.
    """
    deal = session.deal
    if deal is None:
        raise NothingBought(f"session {session.address} closed without a deal")
    if not isinstance(deal, ev.KeyDelivered):
        return deal.session_key
    secret = int.from_bytes(secrets.get(one_time_name(session, deal.provider)), "big")
    member = session.member(deal.provider)
    party, count = session.party(deal.provider), session.terms.shard_count
    key = dl.right_key(party, member, deal, secret, count)
    if key is None:
        raise NothingBought(
            f"{deal.provider} delivered a wrong key, and nobody disputed it in time"
        )
    return key


def purchase(session: Session, store: Datastore, task: Task, key: bytes) -> Purchase:
    """What was bought, as the session key opens it; no shard is fetched yet.

    Raises NothingBought, ManifestError, and what the datastore raises.
    """
    deal = session.deal
    if deal is None:
        raise NothingBought(f"session {session.address} closed without a deal")
    member, party = session.member(deal.provider), session.party(deal.provider)
    manifest = mf.fetch_manifest(store, member.manifest, session.terms)
    addresses: Sequence[bytes] = deal.addresses
    if manifest.addresses is not None:
        addresses = mf.fetch_addresses(store, manifest, party, member.address_root)
    keys = party.shard_keys(key, manifest.shard_count)
    return Purchase(store, task, manifest, member, addresses, keys, key)


def rebuilt_root(session: Session, shards: Iterable[bytes], provider: str, key: bytes) -> bytes:
    """The address root that a provider must have registered who sold exactly these plain shards.

    They are sealed again, one by one, as the provider did.
    """
    party = session.party(provider)
    keys = party.shard_keys(key, session.terms.shard_count)
    addresses = [
        digest_of(cid_of(encrypt_shard(keys[i], i, plain))) for i, plain in enumerate(shards)
    ]
    return root_of(party.address_leaves(addresses))
